import { compileArgumentCheck, type ArgumentCheck } from "../core/argument-validator.ts";
import { AppError } from "../core/errors.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import type { Tool } from "../core/mcp.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { oneLine } from "../core/terminal-text.ts";
import { fillMissingText, typeArguments } from "../core/tool-arguments.ts";
import type { GatewayCall } from "./gateway.ts";

const mostProblemsTold = 8;

/** One compiled check for each tool object; gone with the tool. */
const checks = new WeakMap<Tool, ArgumentCheck>();

/**
 * The arguments of a call, complete and checked by the tool's own schema; undefined when the caller gave
 * none and none are needed.
 * @throws AppError `usage`, saying which argument is wrong and what was expected
 */
export function prepareArguments(
  server: string,
  tool: Tool,
  call: Pick<GatewayCall, "params" | "untyped" | "text">,
): JsonObject | undefined {
  const given = call.params["arguments"];
  if (given !== undefined && !isJsonObject(given)) {
    throw new AppError("usage", "The arguments must be a JSON object");
  }
  // Servers are foreign: one that lists a tool without a schema is taken to ask for nothing in particular.
  const schema = isJsonObject(tool.inputSchema) ? tool.inputSchema : {};
  let args = given;
  if (call.untyped !== undefined && Object.keys(call.untyped).length > 0) {
    args = { ...args, ...typeArguments(schema, call.untyped) };
  }
  if (call.text !== undefined) args = fillMissingText(schema, args ?? {}, call.text);
  const problems = checkOf(tool, schema)(args ?? {});
  if (problems.length > 0) {
    const told = problems.slice(0, mostProblemsTold).join("; ");
    throw new AppError("usage", `${oneLine(`${server}/${tool.name}`, 120)}: ${told}`, {
      hint: `agent inspect ${quoteForShell(`${server}/${tool.name}`)}`,
    });
  }
  return args;
}

function checkOf(tool: Tool, schema: JsonObject): ArgumentCheck {
  let check = checks.get(tool);
  if (check === undefined) {
    check = compileArgumentCheck(schema);
    checks.set(tool, check);
  }
  return check;
}
