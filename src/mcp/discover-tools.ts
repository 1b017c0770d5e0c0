import { AppError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { CallToolResult, Tool } from "../core/mcp.ts";
import { prepareArguments } from "../core/prepare-arguments.ts";
import { closest } from "../core/suggest.ts";
import { oneLine } from "../core/terminal-text.ts";
import { asResult, callNamedTool } from "./call-named-tool.ts";
import { pageOf } from "./list-pages.ts";
import { stringParam } from "./served-request.ts";
import type { ServedRequest } from "./served-request.ts";
import { toolListText } from "./tool-list-text.ts";
import { toolSchemaText } from "./tool-schema-text.ts";

// `mode=discover`: three tools in place of the catalog, by which a model finds out about the catalog's tools and calls
// them. Nothing is decided here: what is listed is what the caller is listed, and a call is a call of the tool that is
// called, in the one place where those are permitted, checked, counted and recorded.

const name = {
  type: "string",
  description: "The tool's name as tool_list gives it, for example files__read",
  maxLength: 1_000,
};

const toolList: Tool = {
  name: "tool_list",
  title: "Find tools",
  description:
    "Finds tools by words of their names and descriptions (query), lists those of one server (server), or, without " +
    "either, the servers and their first tools.",
  inputSchema: {
    type: "object",
    properties: {
      query: {
        type: "string",
        description: "Some words of what the tool should do",
        maxLength: 1_000,
      },
      server: { type: "string", description: "The name of one server", maxLength: 1_000 },
      limit: {
        type: "integer",
        minimum: 1,
        maximum: 100,
        description: "How many to list (default: 20)",
      },
      cursor: { type: "string", description: "Where to go on, as the list before said" },
    },
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true, openWorldHint: false },
};

const toolSchema: Tool = {
  name: "tool_schema",
  title: "Show a tool",
  description: "Shows what a tool does and takes: its description, schemas and annotations.",
  inputSchema: {
    type: "object",
    properties: { name },
    required: ["name"],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true, openWorldHint: false },
};

const toolCall: Tool = {
  name: "tool_call",
  title: "Call a tool",
  description:
    "Calls a tool with arguments as its tool_schema wants them, and answers what the tool answers. The tool may change " +
    "things: its annotations say so.",
  inputSchema: {
    type: "object",
    properties: {
      name,
      arguments: { type: "object", description: "The arguments of that tool" },
    },
    required: ["name"],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
};

/** What a client is offered in this mode. */
export const discoverTools: readonly Tool[] = [toolList, toolSchema, toolCall];

/** `tools/list` in this mode: the same three for everybody. */
export async function listDiscoverTools({
  gateway,
  caller,
  params,
}: ServedRequest): Promise<JsonObject> {
  // Who may see nothing is told so here as well.
  gateway.listServers(caller);
  await gateway.started;
  return { tools: [...pageOf("tools", discoverTools, params["cursor"]).entries] };
}

/**
 * `tools/call` in this mode. Finding out is a list, not a call: it has no audit row and does not count.
 * @param called as the client named it
 * @throws AppError `not_found` for any other tool, recorded like every refusal; what a call of the tool throws
 */
export async function callDiscoverTool(
  called: string,
  request: ServedRequest,
): Promise<CallToolResult> {
  const { gateway, caller, params } = request;
  const given = params["arguments"];
  switch (called) {
    case toolList.name:
      return found(async () => toolListText(request, checked(toolList, given)));
    case toolSchema.name:
      return found(async () => {
        const args = checked(toolSchema, given);
        return toolSchemaText(await findTool(stringParam(args, "name"), request));
      });
    case toolCall.name:
      return callInner(request);
    default:
      gateway.recordRefusal(called, caller);
      throw new AppError("not_found", `There is no tool ${shown(called)} in mode=discover`, {
        hint: "Call tools by tool_call, with name and arguments; tool_list finds them",
      });
  }
}

async function callInner(request: ServedRequest): Promise<CallToolResult> {
  const { gateway, caller, params } = request;
  let given: JsonObject;
  try {
    given = checked(toolCall, params["arguments"]);
  } catch (error) {
    gateway.recordRefusal(toolCall.name, caller);
    return asResult(error, ["usage"]);
  }
  const { name: _own, arguments: _given, ...rest } = params;
  const inner = given["arguments"];
  const sent = inner === undefined ? rest : { ...rest, arguments: inner };
  // To the model a wrong name is an argument of its own, like those of the tool.
  return callNamedTool(stringParam(given, "name"), { ...request, params: sent }, [
    "usage",
    "not_found",
  ]);
}

/** @throws AppError `usage`, in words for the model */
function checked(tool: Tool, given: JsonObject[string] | undefined): JsonObject {
  try {
    return prepareArguments(tool.name, tool, { arguments: given }) ?? {};
  } catch (error) {
    // Its hint is a command line.
    throw error instanceof AppError ? new AppError(error.code, error.message) : error;
  }
}

async function found(text: () => Promise<string>): Promise<CallToolResult> {
  try {
    return { content: [{ type: "text", text: await text() }] };
  } catch (error) {
    return asResult(error, ["usage", "not_found"]);
  }
}

/** A tool as this client would be listed it. @throws AppError `not_found` */
async function findTool(wanted: string, { gateway, caller }: ServedRequest): Promise<Tool> {
  await gateway.started;
  const all = await gateway.listTools(caller);
  const entry = all.find(({ tool }) => tool.name === wanted);
  if (entry !== undefined) return entry.tool;
  const meant = closest(
    wanted,
    all.map(({ tool }) => tool.name),
  );
  throw new AppError("not_found", `Unknown tool ${shown(wanted)}`, {
    hint:
      meant === undefined
        ? "tool_list finds tools, and says which servers are not ready"
        : `Did you mean ${oneLine(meant, 120)}?`,
  });
}

function shown(named: string): string {
  return JSON.stringify(oneLine(named.slice(0, 1_000), 120));
}
