import { isJsonObject } from "./json.ts";
import type { Json } from "./json.ts";
import type { Tool } from "./mcp.ts";
import { quoteForShell } from "./shell-quote.ts";

/** More choices than this are not listed in a one-line signature, only their type is. */
const maxChoices = 8;

/** Types whose values are given as `key:=<json>`: plain text cannot say them well. */
const jsonTypes = new Set(["array", "object"]);

/** The schema of a parameter as one word for people: `string`, `number|null`, `json` where it says nothing. */
function typeNameOf(schema: Json | undefined): string {
  const type = isJsonObject(schema) ? schema["type"] : undefined;
  const names = (Array.isArray(type) ? type : [type]).filter(
    // Only what JSON Schema knows: the schema is foreign, the word goes to a shell.
    (name): name is string =>
      typeof name === "string" &&
      /^(?:string|number|integer|boolean|array|object|null)$/u.test(name),
  );
  return names.length === 0 ? "json" : names.join("|");
}

/** The choices of an enumeration as a placeholder in quotes; undefined when they are many or not plain. */
function choicesOf(schema: Json | undefined): string | undefined {
  const choices = isJsonObject(schema) ? schema["enum"] : undefined;
  if (!Array.isArray(choices) || choices.length === 0 || choices.length > maxChoices) {
    return undefined;
  }
  const words = choices.map(String);
  return words.every((word) => /^[\w.:-]{1,40}$/u.test(word))
    ? `'<${words.join("|")}>'`
    : undefined;
}

function parameter(name: string, schema: Json | undefined, required: boolean): string {
  const key = quoteForShell(name);
  const type = typeNameOf(schema);
  const choices = choicesOf(schema);
  const json = choices === undefined && (type === "json" || jsonTypes.has(type));
  // A pipe outside quotes would start a program in whatever shell this is pasted into.
  const value = choices ?? (type.includes("|") ? `'<${type}>'` : `<${type}>`);
  const text = `${key}${json ? ":=" : "="}${value}`;
  return required ? text : `[${text}]`;
}

/**
 * A tool as one line that can be pasted behind `agent run` and filled in:
 * `everything/echo message=<string> [level='<debug|info>']`. Required parameters come first, optional ones
 * stand in brackets; names are quoted for the shell.
 * @param server absent for a server whose tools are called by their own name
 */
export function toolSignature(server: string | undefined, tool: Tool): string {
  const { inputSchema } = tool;
  const properties = isJsonObject(inputSchema["properties"]) ? inputSchema["properties"] : {};
  const required = Array.isArray(inputSchema["required"]) ? inputSchema["required"] : [];
  const names = [
    ...new Set([
      ...required.filter((name) => typeof name === "string"),
      ...Object.keys(properties),
    ]),
  ];
  const parameters = names.map((name) =>
    parameter(
      name,
      Object.hasOwn(properties, name) ? properties[name] : undefined,
      required.includes(name),
    ),
  );
  const target = quoteForShell(server === undefined ? tool.name : `${server}/${tool.name}`);
  return [target, ...parameters].join(" ");
}
