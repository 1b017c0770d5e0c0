import { AppError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { isInputRequired } from "../core/mcp.ts";
import type { CallToolResult, Tool } from "../core/mcp.ts";
import { splitTarget } from "../core/target.ts";
import type { PendingChange } from "../core/tool-pin.ts";
import { errorOfAnswer, errorOfGateway, notAGateway } from "./answer-error.ts";
import type { RefusedAnswer } from "./answer-error.ts";
import { bearerHeader } from "./bearer-header.ts";
import { onceBegun } from "./credential-refused.ts";
import type { StreamEvent } from "../mcp-client/read-event-stream.ts";
import { findInEvents } from "./event-stream.ts";
import { isTool, progressOf } from "../core/mcp.ts";
import { changeIn, inventoryOf, pageOf, presetsOf } from "./gateway-answers.ts";
import {
  abortReason,
  askJson,
  cutOff,
  maxAnswerBytes,
  mediaTypeOf,
  openAnswer,
  jsonOrUndefined,
  readBody,
  tooLong,
} from "./http-json.ts";
import type { HttpAnswer, HttpQuestion } from "./http-question.ts";
import { answerInputs, asksForever, maxRounds } from "./input-required.ts";
import type { Retry } from "./input-required.ts";
import { selfDescription } from "./self-description.ts";
import type { SelfDescription } from "./self-description.ts";
import { baseOf } from "./server-address.ts";
import type { ToolCall, ToolServer } from "./tool-server.ts";

export interface GatewayOptions extends SelfDescription {
  endpoint: string;
  bearer?: string | undefined;
  /** It is the running gateway of this user: the hints of its errors are shown as ours. */
  ownGateway?: boolean | undefined;
  signal: AbortSignal;
  /** Which of its servers are there (`selectionQuery`); all without it. */
  query?: URLSearchParams | undefined;
}

/**
 * A OneDoor gateway through its REST API. Nothing is sent before the first question; each question is
 * one round trip.
 */
export function createGatewayToolServer(options: GatewayOptions): ToolServer {
  const base = `${baseOf(options.endpoint)}/api/v1`;
  const headers: Record<string, string> = {
    ...bearerHeader(options.bearer),
    ...selfDescription(options),
  };
  const refused = (url: string, answer: RefusedAnswer): AppError =>
    errorOfAnswer(url, answer, options.bearer !== undefined, options.ownGateway);

  const chosen = options.query?.toString() ?? "";
  const addressOf = (path: string, query: Readonly<Record<string, string>> = {}): string => {
    const search = [new URLSearchParams(query).toString(), chosen].filter((part) => part !== "");
    return `${base}/${path}${search.length === 0 ? "" : `?${search.join("&")}`}`;
  };

  const getJson = async (url: string): Promise<JsonObject> => {
    const answer = await askJson({ url, headers, signal: options.signal });
    if (answer.status !== 200) throw refused(url, answer);
    if (!isJsonObject(answer.json)) throw notAGateway(url, answer.mediaType);
    return answer.json;
  };
  const inspect = (query: Readonly<Record<string, string>>): Promise<JsonObject> =>
    getJson(addressOf("inspect", query));

  const post = async (
    server: string,
    tool: string,
    call: ToolCall,
    retry: Retry,
  ): Promise<CallToolResult> => {
    const url = addressOf("tools/call");
    const body = {
      server,
      tool,
      arguments: call.arguments,
      ...(Object.keys(call.untyped).length > 0 && { untyped: call.untyped }),
      ...(call.text !== undefined && { text: call.text }),
      timeoutMs: call.timeoutMs,
      // Without it the gateway lets no upstream server ask anything; where nobody is there to be asked, the
      // answer is a declined one, not a tool that cannot ask.
      clientCapabilities: { elicitation: { form: {} } },
      ...retry,
    };
    const question: HttpQuestion = {
      url,
      method: "POST",
      headers: { ...headers, "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify(body),
      signal: call.signal,
    };
    const answer = await openAnswer(question);
    const { status } = answer;
    if (status === 200 && mediaTypeOf(answer) === "text/event-stream") {
      return readCall(answer, question, call, options.ownGateway);
    }
    const json = jsonOrUndefined(await readBody(answer, question, maxAnswerBytes));
    if (status !== 200) {
      throw refused(url, { status, headers: answer.headers, json });
    }
    if (!isJsonObject(json)) throw notAGateway(url, mediaTypeOf(answer));
    return json;
  };

  /** Told with the tool. */
  const waiting = new WeakMap<Tool, PendingChange>();

  return {
    kind: "onedoor",
    only: undefined,
    resolve: (target) => Promise.resolve(splitTarget(target)),
    async inventory() {
      const found = inventoryOf(await inspect({}));
      if (found === undefined) throw notAGateway(base, "application/json");
      return found;
    },
    async server(name) {
      const page = pageOf(await inspect({ server: name }));
      if (page === undefined) throw notAGateway(base, "application/json");
      return page;
    },
    async tool(server, tool) {
      const answer = await inspect({ server, tool });
      const found = answer["tool"];
      if (!isTool(found)) throw notAGateway(base, "application/json");
      const change = changeIn(answer["change"]);
      if (change !== undefined) waiting.set(found, change);
      return found;
    },
    changeOf: (tool) => waiting.get(tool),
    async call(server, tool, call) {
      let retry: Retry = {};
      for (let round = 0; round <= maxRounds; round += 1) {
        const result = await post(server, tool, call, retry).catch((error: unknown) => {
          throw round === 0 ? error : onceBegun(error);
        });
        if (!isInputRequired(result)) return result;
        retry = await answerInputs(result, call.onElicitation);
      }
      throw asksForever();
    },
    async instructions() {
      const url = addressOf("instructions");
      const question = {
        url,
        headers: { ...headers, accept: "text/plain" },
        signal: options.signal,
      };
      const answer = await openAnswer(question);
      const text = await readBody(answer, question, maxAnswerBytes);
      const { status } = answer;
      if (status !== 200) {
        const json = jsonOrUndefined(text);
        throw refused(url, { status, headers: answer.headers, json });
      }
      if (mediaTypeOf(answer) !== "text/plain") throw notAGateway(url, mediaTypeOf(answer));
      return text;
    },
    async presets() {
      const found = presetsOf(await getJson(`${base}/presets`));
      if (found === undefined) throw notAGateway(base, "application/json");
      return found;
    },
    close: () => Promise.resolve(),
  };
}

/** Follows a call to its end: progress on the way, then the result or an error. */
async function readCall(
  answer: HttpAnswer,
  question: HttpQuestion,
  call: ToolCall,
  ownGateway: boolean | undefined,
): Promise<CallToolResult> {
  const find = ({ event, data }: StreamEvent): CallToolResult | undefined => {
    const value = jsonOrUndefined(data);
    if (event === "result" && isJsonObject(value)) return value;
    if (event === "error") {
      const told = errorOfGateway({ ...answer, json: value }, ownGateway);
      throw told ?? notAGateway(question.url, mediaTypeOf(answer));
    }
    const progress = event === "progress" ? progressOf(value) : undefined;
    if (progress) call.onProgress?.(progress);
    return undefined;
  };
  try {
    // Progress may go on for an hour; only what belongs to one event counts against its size.
    const result = await findInEvents(answer.body, find, {
      maxLength: maxAnswerBytes,
      tooLong: () => tooLong(question.url, maxAnswerBytes),
    });
    if (result !== undefined) return result;
  } catch (error) {
    if (call.signal.aborted) throw abortReason(call.signal);
    if (error instanceof AppError) throw error;
    throw cutOff(question.url, error);
  }
  throw call.signal.aborted ? abortReason(call.signal) : cutOff(question.url);
}
