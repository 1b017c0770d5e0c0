// A client as the conformance suite starts one: `play-scenario <url>`, the scenario's name and context in the
// environment. It plays the scenario with the code behind `agent inspect` and `agent run`, and a person who
// says yes to every form and takes what the form suggests.
import { Readable } from "node:stream";
import { createAskPerson } from "../../../src/cli/calling/ask-person.ts";
import { openMcpConnection } from "../../../src/client/mcp-connection.ts";
import { connectMcpToolServer } from "../../../src/client/mcp-tool-server.ts";
import type { ToolServer } from "../../../src/client/tool-server.ts";
import { isJsonObject } from "../../../src/core/json.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";

/** The suite ends a client after twenty seconds. */
const timeoutMs = 15_000;
const signal = AbortSignal.timeout(timeoutMs);

const [url] = process.argv.slice(2);
const { MCP_CONFORMANCE_SCENARIO: scenario, MCP_CONFORMANCE_CONTEXT: context } = process.env;
if (url === undefined || scenario === undefined) throw new Error("Started by the suite only");

const plays: Record<string, (server: ToolServer) => Promise<void>> = {
  initialize: callNothing,
  tools_call: (server) => call(server, "add_numbers", { a: 5, b: 3 }),
  "elicitation-sep1034-client-defaults": callEverything,
  "sse-retry": callEverything,
  "request-metadata": callNothing,
  "sep-2322-client-request-state": callTogether,
  "http-standard-headers": useEverything,
  "http-custom-headers": callAsTold,
  "http-invalid-tool-headers": callEverythingSomehow,
  "json-schema-ref-no-deref": callNothing,
  "json-schema-2020-12-preservation": echoSchema,
};

const play = Object.hasOwn(plays, scenario) ? plays[scenario] : undefined;
if (play === undefined) throw new Error(`There is no play for ${scenario}`);
const connecting = { endpoint: url, clientName: "onedoor-driver", signal };
const server = await connectMcpToolServer(connecting);
try {
  await play(server);
} finally {
  await server.close();
}

async function call(to: ToolServer, tool: string, args: JsonObject): Promise<void> {
  const result = await to.call(to.only ?? "", tool, {
    arguments: args,
    untyped: {},
    signal,
    timeoutMs,
    onElicitation: (params) => {
      // "yes" to the form, then Enter at each field.
      const stdin = Readable.from([`yes\n${"\n".repeat(100)}`]);
      return createAskPerson({ stdin, note: (line) => console.log(line) }, tool, signal)(params);
    },
  });
  console.log(`${tool}: ${JSON.stringify(result)}`);
}

async function toolNames(of: ToolServer): Promise<string[]> {
  const { tools } = await of.server(of.only ?? "");
  return tools.map(({ name }) => name);
}

async function callNothing(at: ToolServer): Promise<void> {
  console.log(`Tools: ${(await toolNames(at)).join(", ")}`);
}

async function callEverything(at: ToolServer): Promise<void> {
  for (const tool of await toolNames(at)) await call(at, tool, {});
}

/** Calls every tool with arguments that its schema takes. */
async function callEverythingSomehow(at: ToolServer): Promise<void> {
  const { tools } = await at.server(at.only ?? "");
  for (const { name, inputSchema } of tools) {
    const properties = isJsonObject(inputSchema["properties"]) ? inputSchema["properties"] : {};
    const args = Object.entries(properties).map(([key, schema]) => [key, someValue(schema)]);
    await call(at, name, Object.fromEntries(args));
  }
}

function someValue(schema: Json): Json {
  const samples: Readonly<Record<string, Json>> = {
    object: {},
    array: [],
    null: null,
    number: 1.5,
  };
  const type = isJsonObject(schema) ? schema["type"] : undefined;
  return typeof type === "string" && Object.hasOwn(samples, type) ? samples[type]! : "text";
}

/** All tools at once: what one of them is asked and answered must not reach another's request. */
async function callTogether(at: ToolServer): Promise<void> {
  await Promise.all((await toolNames(at)).map((tool) => call(at, tool, {})));
}

/**
 * The calls that the suite wants made, without what is null in them: our client lets nobody send null where
 * the tool's schema takes none, and what is left out must have no header either.
 */
async function callAsTold(at: ToolServer): Promise<void> {
  const told: { toolCalls: { name: string; arguments: JsonObject }[] } = JSON.parse(context ?? "");
  for (const { name, arguments: args } of told.toolCalls) {
    const given = Object.entries(args).filter(([, value]) => value !== null);
    await call(at, name, Object.fromEntries(given));
  }
}

/** Calls the tools, and asks for the resources and prompts, which no command of ours does. */
async function useEverything(at: ToolServer): Promise<void> {
  await callEverything(at);
  const connection = await openMcpConnection({
    ...connecting,
    onElicitation: () => Promise.resolve({ action: "decline" }),
  });
  try {
    const { resources = [] } = await connection.request("resources/list", {}, { signal });
    for (const { uri = "" } of entriesOf(resources)) {
      await connection.request("resources/read", { uri }, { signal });
    }
    const { prompts = [] } = await connection.request("prompts/list", {}, { signal });
    for (const { name = "" } of entriesOf(prompts)) {
      await connection.request("prompts/get", { name }, { signal });
    }
  } finally {
    await connection.close();
  }
}

function entriesOf(list: Json): JsonObject[] {
  return Array.isArray(list) ? list.filter((entry) => isJsonObject(entry)) : [];
}

async function echoSchema(at: ToolServer): Promise<void> {
  const { inputSchema } = await at.tool(at.only ?? "", "json_schema_2020_12_tool");
  await call(at, "json_schema_echo", { schema: inputSchema });
}
