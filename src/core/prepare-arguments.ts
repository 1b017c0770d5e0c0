import { compileArgumentCheck, type ArgumentCheck } from "./argument-validator.ts";
import { AppError } from "./errors.ts";
import { isJsonObject, type Json, type JsonObject } from "./json.ts";
import type { Tool } from "./mcp.ts";
import { quoteForShell } from "./shell-quote.ts";
import { oneLine } from "./terminal-text.ts";
import { fillMissingText, typeArguments } from "./tool-arguments.ts";

const mostProblemsTold = 8;

/** One compiled check for each tool object; gone with the tool. */
const checks = new WeakMap<Tool, ArgumentCheck>();

export interface GivenArguments {
  /** As JSON; must be an object. */
  arguments?: Json | undefined;
  /** Arguments given as text, to be typed by the tool's schema; they win over `arguments`. */
  untyped?: Readonly<Record<string, string>> | undefined;
  /** Text for the one required string parameter that is missing. */
  text?: string | undefined;
}

/**
 * The arguments of a call, complete and checked by the tool's own schema; undefined when the caller gave
 * none and none are needed. The gateway and the client that speaks MCP itself have this one rule.
 * @param target how the caller names the tool: `server/tool`, or the tool alone
 * @throws AppError `usage`, saying which argument is wrong and what was expected
 */
export function prepareArguments(
  target: string,
  tool: Tool,
  given: GivenArguments,
): JsonObject | undefined {
  if (given.arguments !== undefined && !isJsonObject(given.arguments)) {
    throw new AppError("usage", "The arguments must be a JSON object");
  }
  // Servers are foreign: one that lists a tool without a schema is taken to ask for nothing in particular.
  const schema = isJsonObject(tool.inputSchema) ? tool.inputSchema : {};
  let args = given.arguments;
  if (given.untyped !== undefined && Object.keys(given.untyped).length > 0) {
    args = { ...args, ...typeArguments(schema, given.untyped) };
  }
  if (given.text !== undefined) args = fillMissingText(schema, args ?? {}, given.text);
  const problems = checkOf(tool, schema)(args ?? {});
  if (problems.length > 0) {
    const told = oneLine(problems.slice(0, mostProblemsTold).join("; "), 1_000);
    throw new AppError("usage", `${oneLine(target, 120)}: ${told}`, {
      hint: `agent inspect ${quoteForShell(target)}`,
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
