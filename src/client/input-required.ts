import { AppError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { oneLine } from "../core/terminal-text.ts";
import type { AskPerson } from "./tool-server.ts";

/** What is added to a call when it is repeated with the answers (MCP 2026-07-28, `input_required`). */
export interface Retry {
  inputResponses?: JsonObject;
  /** Opaque; given back as it came. */
  requestState?: string;
}

/** How often a tool may ask back before it counts as going round in circles. */
export const maxRounds = 10;

export function asksForever(): AppError {
  return new AppError("tool_error", `The tool still asks for input after ${maxRounds} rounds`);
}

/**
 * Answers what a result asks for. A person is asked for form elicitations, one after the other; what a
 * command line cannot do (open a page for somebody, run a language model) is declined or refused.
 * @throws AppError `tool_error` when the tool needs something that cannot be declined
 */
export async function answerInputs(result: JsonObject, ask: AskPerson | undefined): Promise<Retry> {
  const requests = isJsonObject(result["inputRequests"]) ? result["inputRequests"] : {};
  const responses: [string, JsonObject][] = [];
  for (const [key, request] of Object.entries(requests)) {
    responses.push([key, await answerOne(request, ask)]);
  }
  const state = result["requestState"];
  return {
    ...(responses.length > 0 && { inputResponses: Object.fromEntries(responses) }),
    ...(typeof state === "string" && { requestState: state }),
  };
}

async function answerOne(request: unknown, ask: AskPerson | undefined): Promise<JsonObject> {
  const method = isJsonObject(request) ? request["method"] : undefined;
  const params = isJsonObject(request) && isJsonObject(request["params"]) ? request["params"] : {};
  if (method === "elicitation/create") {
    const form = params["mode"] === undefined || params["mode"] === "form";
    if (!form || ask === undefined) return { action: "decline" };
    const { action, content } = await ask(params);
    return content === undefined ? { action } : { action, content };
  }
  if (method === "roots/list") return { roots: [] };
  const asked = typeof method === "string" ? oneLine(method, 60) : "something unknown";
  throw new AppError("tool_error", `The tool asks for ${asked}, which a command line cannot give`, {
    hint: "Call it from an MCP client that can",
  });
}
