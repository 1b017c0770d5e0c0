import { AppError } from "../core/errors.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { oneLine } from "../core/terminal-text.ts";
import { isLoopbackHost } from "../core/url.ts";
import { unreachable } from "./connection-failure.ts";
import type { Proxy } from "./choose-proxy.ts";
import { askDirectly } from "./direct-http.ts";
import type { HttpAnswer, HttpQuestion } from "./http-question.ts";
import { proxyFor } from "./network.ts";

/** No answer to a question of ours is longer than this, in bytes (a tool's result may carry images). */
export const maxAnswerBytes = 64 * 1024 * 1024;

export interface JsonAnswer {
  status: number;
  headers: HttpAnswer["headers"];
  /** Undefined when the body is not JSON. */
  json: unknown;
  /** Lower case, without parameters; empty when there is none. */
  mediaType: string;
}

/** The address of a URL as messages show it: no query, no credentials. */
export function shownAddress(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + (pathname === "/" ? "" : pathname);
}

/**
 * What a cancelled question throws: our own error for a deadline, else the reason of the abort.
 * @param way what stood between, for the messages of a deadline
 */
export function abortReason(signal: AbortSignal, way = ""): unknown {
  const reason: unknown = signal.reason;
  if (reason instanceof DOMException && reason.name === "TimeoutError") {
    const hint = "--timeout <seconds> allows more time";
    return new AppError("timeout", `No answer in time${way}`, { hint, cause: reason });
  }
  if (way === "" || !(reason instanceof AppError) || reason.code !== "timeout") return reason;
  return new AppError("timeout", `${reason.message}${way}`, { hint: reason.hint, cause: reason });
}

/**
 * Asks, and resolves with the head of the answer; whoever asked reads the body. This is the one way out: directly, or
 * through the proxy that the environment names. Redirects are not followed: a question may carry a credential or a
 * body, and neither goes to an address that somebody else named.
 * @throws AppError `unreachable` (nothing there, TLS, not HTTP, a redirect, the proxy), `timeout`, `usage` (the
 *   variable of the proxy)
 */
export async function openAnswer(question: HttpQuestion): Promise<HttpAnswer> {
  const { url, signal } = question;
  if (signal.aborted) throw abortReason(signal);
  const proxy = proxyFor(new URL(url));
  let answer: HttpAnswer;
  try {
    answer = proxy === undefined ? await askDirectly(question) : await through(proxy, question);
  } catch (error) {
    const way = proxy === undefined ? "" : ` through the proxy ${proxy.origin}`;
    if (signal.aborted) throw abortReason(signal, way);
    throw error instanceof AppError ? error : unreachable(url, error);
  }
  if (answer.status >= 300 && answer.status < 400) {
    answer.destroy();
    throw redirected(url, answer.headers["location"]);
  }
  return answer;
}

/** What speaks to proxies takes longer to load than the rest, and is for few. */
async function through(proxy: Proxy, question: HttpQuestion): Promise<HttpAnswer> {
  const { askThrough } = await import("./proxied-http.ts");
  return askThrough(proxy, question);
}

/** Somebody answered, with what is of no use: a redirect, or far more than was asked for. */
export class UnusableAnswer extends AppError {
  constructor(message: string, hint: string | undefined) {
    super("unreachable", message, { hint });
  }
}

function redirected(url: string, location: string | undefined): AppError {
  const target =
    location !== undefined && URL.canParse(location, url) ? new URL(location, url) : undefined;
  return new UnusableAnswer(
    `${shownAddress(url)} redirects; redirects are not followed`,
    target && `If you trust it: --url ${quoteForShell(oneLine(target.href))}`,
  );
}

/**
 * Reads a body to its end.
 * @throws AppError `unreachable` when it breaks off or is longer than `maxBytes`, `timeout`
 */
export async function readBody(
  answer: HttpAnswer,
  question: HttpQuestion,
  maxBytes: number,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.body) {
      size += chunk.length;
      if (size > maxBytes) throw tooLong(question.url, maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw question.signal.aborted ? abortReason(question.signal) : unreachable(question.url, error);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The error for a call whose answer was cut off. */
export function cutOff(url: string, cause?: unknown): AppError {
  const more = isLoopbackHost(new URL(url).hostname)
    ? "agent serve --status shows your own gateway"
    : "look before you call it again";
  return new AppError(
    "unreachable",
    `${shownAddress(url)} closed the connection before the tool's answer`,
    { hint: `Whether the tool ran is not known; ${more}`, cause },
  );
}

/** The error for an answer that goes on and on. */
export function tooLong(url: string, maxBytes: number): AppError {
  return new UnusableAnswer(
    `The answer of ${shownAddress(url)} is longer than ${maxBytes / 1024 / 1024} MiB`,
    "Check that the address is that of an MCP server or a OneDoor gateway",
  );
}

export function mediaTypeOf(answer: HttpAnswer): string {
  return (answer.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/**
 * Asks and reads the answer as JSON. What the answer means, by status or content, is for the caller.
 * @param options.maxBytes longest body taken; 64 MiB when not given
 * @throws AppError `unreachable`, `timeout`
 */
export async function askJson(
  question: HttpQuestion,
  options: { maxBytes?: number } = {},
): Promise<JsonAnswer> {
  const answer = await openAnswer({
    ...question,
    headers: { accept: "application/json", ...question.headers },
  });
  const text = await readBody(answer, question, options.maxBytes ?? maxAnswerBytes);
  return {
    status: answer.status,
    headers: answer.headers,
    json: jsonOrUndefined(text),
    mediaType: mediaTypeOf(answer),
  };
}

/** Undefined when the text is not JSON. */
export function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
