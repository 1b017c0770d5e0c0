import type { Agent as HttpAgent } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import { Readable } from "node:stream";
import { AppError } from "../core/errors.ts";
import { errorOfAnswer } from "./answer-error.ts";
import { maxAnswerBytes, openAnswer, jsonOrUndefined, readBody, tooLong } from "./http-json.ts";
import type { HttpQuestion } from "./http-json.ts";

/** What the MCP SDK asks of a `fetch`. */
export type FetchFunction = (url: string | URL, init?: RequestInit) => Promise<Response>;

export interface RecordingFetch {
  fetch: FetchFunction;
  /**
   * The failure that ended the last question to the server, as an error of ours. The SDK wraps what a
   * fetch throws in errors of its own, or drops it; this one says what happened.
   */
  readonly failure: AppError | undefined;
  /** HTTP status of the answer that was that failure; absent where there was no answer. */
  readonly failureStatus: number | undefined;
  /** Resolves when no notification or deletion is under way any more. */
  idle(): Promise<void>;
}

/** Whether a question is one that waits for an answer, not a notification. */
function waitsForAnswer(body: string | undefined): boolean {
  const message = body === undefined ? undefined : jsonOrUndefined(body);
  return typeof message === "object" && message !== null && "id" in message && "method" in message;
}

/**
 * A `fetch` on `node:http` for the MCP SDK: the same rules as every other question of ours (no redirect,
 * `localhost` is this machine, bounded answers), and answers that mean the same under any protocol (401,
 * 403, 429, 5xx) become errors of ours. Other refusals (400, 404, 405) belong to the SDK: it reads the
 * protocol era from them.
 */
export function createRecordingFetch(options: {
  agent: HttpAgent | HttpsAgent;
  bearer: string | undefined;
}): RecordingFetch {
  let failure: AppError | undefined;
  let failureStatus: number | undefined;
  const underWay = new Set<Promise<unknown>>();

  const ask = async (question: HttpQuestion, answered: boolean): Promise<Response> => {
    let refused: number | undefined;
    try {
      const answer = await openAnswer(question);
      const status = answer.statusCode ?? 0;
      if (answered && (status === 401 || status === 403 || status === 429 || status >= 500)) {
        refused = status;
        const json = jsonOrUndefined(await readBody(answer, question, 1024 * 1024));
        throw errorOfAnswer(
          question.url,
          { status, headers: answer.headers, json },
          options.bearer !== undefined,
        );
      }
      const headers = new Headers();
      for (const [name, value] of Object.entries(answer.headers)) {
        if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
      }
      const empty = status === 204 || status === 205 || status === 304;
      if (empty) answer.resume();
      const body = empty ? null : bounded(answer, question.url, (error) => (failure = error));
      return new Response(body, { status, headers });
    } catch (error) {
      if (answered && error instanceof AppError) {
        failure = error;
        failureStatus = refused;
      }
      throw error;
    }
  };

  return {
    async fetch(url, init = {}) {
      const body = typeof init.body === "string" ? init.body : undefined;
      const answered = waitsForAnswer(body);
      const headers: Record<string, string> = {};
      for (const [name, value] of new Headers(init.headers)) headers[name] = value;
      if (options.bearer !== undefined) headers["authorization"] = `Bearer ${options.bearer}`;
      const question: HttpQuestion = {
        url: String(url),
        method: init.method,
        headers,
        body,
        signal: init.signal ?? new AbortController().signal,
        agent: options.agent,
      };
      const answer = ask(question, answered);
      if (!answered && question.method !== "GET") {
        const ended = answer.catch(() => undefined).finally(() => underWay.delete(ended));
        underWay.add(ended);
      }
      return answer;
    },
    get failure() {
      return failure;
    },
    get failureStatus() {
      return failureStatus;
    },
    async idle() {
      await Promise.all(underWay);
    },
  };
}

/** The body as a web stream that fails when it is longer than an answer may be. */
function bounded(
  answer: Readable,
  url: string,
  onTooLong: (error: AppError) => void,
): ReadableStream<Uint8Array> {
  let size = 0;
  const counted = answer.map((chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxAnswerBytes) return chunk;
    const error = tooLong(url, maxAnswerBytes);
    onTooLong(error);
    throw error;
  });
  return Readable.toWeb(counted);
}
