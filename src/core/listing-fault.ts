import { isJsonObject } from "./json.ts";
import type { Json, JsonObject } from "./json.ts";
import type { ListKind, ProtocolEra } from "./mcp.ts";

/**
 * Why a client that checks what it reads would refuse a list with this entry, and with it all other entries:
 * the first member that has not the form its revision of MCP gives it. Undefined: nothing is wrong. Members
 * that MCP does not know are nobody's business.
 */
export function listingFault(
  kind: ListKind,
  entry: JsonObject,
  era: ProtocolEra,
): string | undefined {
  const faulty = Object.entries(membersOf[kind][era]).find(
    ([name, { is }]) => !(entry[name] === undefined && !required.has(name)) && !is(entry[name]),
  );
  return faulty && `its ${faulty[0]} is not ${faulty[1].called}`;
}

interface Form {
  called: string;
  is: (value: Json | undefined) => boolean;
}

/** Members without which an entry of a kind that has them is none. */
const required: ReadonlySet<string> = new Set(["name", "uri", "uriTemplate", "inputSchema"]);

const text: Form = { called: "text", is: (value) => typeof value === "string" };
const flag: Form = { called: "true or false", is: (value) => typeof value === "boolean" };
const number: Form = { called: "a number", is: (value) => typeof value === "number" };
const object: Form = { called: "an object", is: isJsonObject };

function oneOf(...values: string[]): Form {
  return {
    called: `one of ${values.join(", ")}`,
    is: (value) => values.some((allowed) => allowed === value),
  };
}

function listOf(form: Form): Form {
  return {
    called: `a list (of each: ${form.called})`,
    is: (value) => Array.isArray(value) && value.every((entry) => form.is(entry)),
  };
}

/** An object whose named members have their form where they are there; others may be anything. */
function shape(members: Readonly<Record<string, Form>>, needed: readonly string[] = []): Form {
  const names = Object.keys(members).join(", ");
  return {
    called: `an object as MCP describes it (${names})`,
    is: (value) =>
      isJsonObject(value) &&
      needed.every((name) => value[name] !== undefined) &&
      Object.entries(members).every(
        ([name, form]) => value[name] === undefined || form.is(value[name]),
      ),
  };
}

const icons = listOf(
  shape({ src: text, mimeType: text, sizes: listOf(text), theme: oneOf("light", "dark") }, ["src"]),
);
const described = { name: text, title: text, description: text, icons, _meta: object };
const annotations = shape({
  audience: listOf(oneOf("user", "assistant")),
  priority: {
    called: "a number from 0 to 1",
    is: (value) => typeof value === "number" && value >= 0 && value <= 1,
  },
  lastModified: {
    called: "an ISO 8601 time",
    is: (value) =>
      typeof value === "string" &&
      /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/u.test(value),
  },
});
/** Until 2025-11-25 the schemas of a tool are objects whose properties are objects. */
const legacySchema = shape(
  {
    type: oneOf("object"),
    properties: {
      called: "an object of objects",
      is: (value) => isJsonObject(value) && Object.values(value).every((entry) => isObject(entry)),
    },
    required: listOf(text),
  },
  ["type"],
);
const modernInput = shape({ type: oneOf("object"), $schema: text }, ["type"]);
const tool = {
  ...described,
  annotations: shape({
    title: text,
    readOnlyHint: flag,
    destructiveHint: flag,
    idempotentHint: flag,
    openWorldHint: flag,
  }),
};
const prompt = {
  ...described,
  arguments: listOf(shape({ name: text, description: text, required: flag }, ["name"])),
};
const resource = { ...described, uri: text, mimeType: text, size: number, annotations };
const resourceTemplate = { ...described, uriTemplate: text, mimeType: text, annotations };

const membersOf: Record<ListKind, Record<ProtocolEra, Readonly<Record<string, Form>>>> = {
  tools: {
    legacy: {
      ...tool,
      inputSchema: legacySchema,
      outputSchema: legacySchema,
      execution: shape({ taskSupport: oneOf("required", "optional", "forbidden") }),
    },
    modern: { ...tool, inputSchema: modernInput, outputSchema: shape({ $schema: text }) },
  },
  prompts: { legacy: prompt, modern: prompt },
  resources: { legacy: resource, modern: resource },
  resourceTemplates: { legacy: resourceTemplate, modern: resourceTemplate },
};

/** What zod and its like call an object: lists too. */
function isObject(value: Json): boolean {
  return typeof value === "object" && value !== null;
}
