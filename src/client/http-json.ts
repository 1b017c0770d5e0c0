import { lookup as systemLookup } from "node:dns";
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Agent as HttpsAgent } from "node:https";
import type { LookupFunction } from "node:net";
import { AppError } from "../core/errors.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { oneLine } from "../core/terminal-text.ts";
import { createPinnedAgent, otherCertificate } from "../runtime/pinned-agent.ts";
import type { PinnedRequestOptions } from "../runtime/pinned-agent.ts";
import { expectedCertificates } from "./expected-certificates.ts";

/** No answer to a question of ours is longer than this, in bytes (a tool's result may carry images). */
export const maxAnswerBytes = 64 * 1024 * 1024;

export interface HttpQuestion {
  url: string;
  method?: string | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as it is, with its length. */
  body?: string | Uint8Array | undefined;
  /** The one deadline; it covers the body of the answer too. */
  signal: AbortSignal;
  /** Connections to share between several questions; without it each has its own, closed after it. */
  agent?: HttpAgent | HttpsAgent | undefined;
}

export interface JsonAnswer {
  status: number;
  headers: IncomingMessage["headers"];
  /** Undefined when the body is not JSON. */
  json: unknown;
  /** Lower case, without parameters; empty when there is none. */
  mediaType: string;
}

/**
 * `localhost` is this machine and nobody else (RFC 6761 §6.3): 127.0.0.1 is tried first, then ::1, and
 * no name server is asked.
 */
const lookup: LookupFunction = (hostname, options, callback) => {
  if (!/^localhost\.?$/iu.test(hostname)) {
    systemLookup(hostname, options, callback);
    return;
  }
  const addresses = [
    { address: "127.0.0.1", family: 4 },
    { address: "::1", family: 6 },
  ];
  if (options.all) callback(null, addresses);
  else callback(null, "127.0.0.1", 4);
};

/**
 * Shared connections for one server; destroy it when the conversation is over.
 * @param maxSockets how many there may be at once
 */
export function createAgent(url: string, maxSockets = 8): HttpAgent | HttpsAgent {
  const options = { keepAlive: true, maxSockets };
  return new URL(url).protocol === "https:"
    ? createPinnedAgent(options, expectedCertificates)
    : new HttpAgent(options);
}

/** Why a connection could not be made, for people. Codes are Node's and OpenSSL's own. */
function reasonOf(code: string): string {
  if (code === "ECONNREFUSED") return "connection refused";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "its name cannot be resolved";
  if (code === "ECONNRESET" || code === "EPIPE")
    return "the connection was closed before the answer";
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") return "there is no route to it";
  if (code === "ETIMEDOUT") return "it does not answer";
  if (code === otherCertificate) return "its TLS certificate is not that of your running gateway";
  if (code === "EPROTO") return "it does not speak TLS";
  if (code.startsWith("HPE_")) return "it does not answer in HTTP";
  if (isAboutCertificate(code)) return `its TLS certificate is not trusted (${code})`;
  return code === "" ? "the connection failed" : code;
}

/** The address of a URL as messages show it: no query, no credentials. */
export function shownAddress(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + (pathname === "/" ? "" : pathname);
}

function isAboutCertificate(code: string): boolean {
  return /CERT|SELF_SIGNED|ISSUER|LEAF_SIGNATURE/u.test(code);
}

/** Nobody who is trusted vouches for it; else it is for another name, another time, another use. */
function isOfStranger(code: string): boolean {
  return /SELF_SIGNED|ISSUER|LEAF_SIGNATURE/u.test(code);
}

/** Somebody answered, whose certificate is not what it must be: nothing was sent there, and would be at no time. */
export class UntrustedCertificate extends AppError {
  constructor(message: string, hint: string, cause: unknown) {
    super("unreachable", message, { hint, cause });
  }
}

function unreachable(url: string, error: unknown): AppError {
  const code = systemErrorCode(error) ?? "";
  // What cannot be reached is the server; which of its paths we asked for is nobody's concern.
  const message = `Cannot reach ${new URL(url).origin}: ${reasonOf(code)}`;
  const hint =
    "Is it running, and is the address right? agent serve --status shows your own gateway";
  if (code === otherCertificate) return new UntrustedCertificate(message, hint, error);
  if (isAboutCertificate(code)) {
    const more = isOfStranger(code)
      ? "NODE_EXTRA_CA_CERTS=<file> adds a certificate authority"
      : "Is the address right, and this machine's clock? If they are, its operator can put it right";
    return new UntrustedCertificate(message, more, error);
  }
  return new AppError("unreachable", message, { hint, cause: error });
}

/** What a cancelled question throws: our own error for a deadline, else the reason of the abort. */
export function abortReason(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason;
  return reason instanceof DOMException && reason.name === "TimeoutError"
    ? new AppError("timeout", "No answer in time", {
        hint: "--timeout <seconds> allows more time",
        cause: reason,
      })
    : reason;
}

/**
 * Asks, and resolves with the head of the answer; whoever asked reads the body. Redirects are not
 * followed: a question may carry a credential or a body, and neither goes to an address that somebody
 * else named.
 * @throws AppError `unreachable` (nothing there, TLS, not HTTP, a redirect), `timeout`
 */
export function openAnswer(question: HttpQuestion): Promise<IncomingMessage> {
  const { signal } = question;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(abortReason(signal));
      return;
    }
    const secure = new URL(question.url).protocol === "https:";
    const options: RequestOptions & { autoSelectFamily?: boolean } & PinnedRequestOptions = {
      method: question.method ?? "GET",
      headers: {
        ...question.headers,
        ...(question.body === undefined
          ? {}
          : { "content-length": String(Buffer.byteLength(question.body)) }),
      },
      agent: question.agent ?? (secure && createPinnedAgent({}, expectedCertificates)),
      lookup,
      autoSelectFamily: true,
      abandoned: signal,
    };
    const request = secure
      ? httpsRequest(question.url, options)
      : httpRequest(question.url, options);
    // Not Node's own `signal`: it destroys the socket with an error of its own, and when nobody reads the
    // answer any more nobody listens for that either.
    const abort = (): void => {
      request.destroy();
      // It has no socket yet to be told by.
      reject(abortReason(signal));
    };
    signal.addEventListener("abort", abort, { once: true });
    request.on("close", () => signal.removeEventListener("abort", abort));
    request.on("error", (error) => {
      reject(signal.aborted ? abortReason(signal) : unreachable(question.url, error));
    });
    request.on("response", (answer) => {
      // Whoever reads it hears of its end while reading; Node may say it once more when nobody does.
      answer.on("error", () => undefined);
      const location = answer.headers.location;
      if ((answer.statusCode ?? 0) >= 300 && (answer.statusCode ?? 0) < 400) {
        answer.destroy();
        reject(redirected(question.url, location));
        return;
      }
      resolve(answer);
    });
    request.end(question.body);
  });
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
  answer: IncomingMessage,
  question: HttpQuestion,
  maxBytes: number,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
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
  return new AppError(
    "unreachable",
    `${shownAddress(url)} closed the connection before the tool's answer`,
    {
      hint: "Whether the tool ran is not known; agent serve --status shows your own gateway",
      cause,
    },
  );
}

/** The error for an answer that goes on and on. */
export function tooLong(url: string, maxBytes: number): AppError {
  return new UnusableAnswer(
    `The answer of ${shownAddress(url)} is longer than ${maxBytes / 1024 / 1024} MiB`,
    "Check that the address is that of an MCP server or a OneDoor gateway",
  );
}

export function mediaTypeOf(answer: IncomingMessage): string {
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
    status: answer.statusCode ?? 0,
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
