import { systemErrorCode } from "../core/system-error-code.ts";
import { oneLine } from "../core/terminal-text.ts";
import { MessageFault, tooLarge } from "./read-messages.ts";
import type { MessageLimits } from "./read-messages.ts";
import { HttpStatusError } from "./transport.ts";
import type { HttpAnswer, HttpBody, SendHttp } from "./transport.ts";

const mostRedirects = 5;
/** How long the body of an answer of no interest, or of a refusal, may take, in milliseconds. */
const refusalMs = 10_000;
/** How long a server may take for a message to which it answers nothing, in milliseconds. */
const takeMessageMs = 10_000;
/** Bytes of an answer's body that are kept, or read before the connection is given up. */
const mostOfRefusal = 64 * 1024;

export type HttpRequest = Parameters<SendHttp>[0];

/**
 * Asks, and follows redirects that keep method and origin: what goes along (credentials, arguments) is for
 * nobody else.
 * @param giveUp ends the request, as its signal does: called when the body of a refusal does not come to its end
 * @throws HttpStatusError for an answer that is not 2xx; what `sendHttp` throws
 */
export async function askHttp(
  sendHttp: SendHttp,
  request: HttpRequest,
  giveUp: () => void,
): Promise<HttpAnswer> {
  const answer = await sendHttp(request);
  return isSuccess(answer) ? answer : follow(sendHttp, request, giveUp, answer);
}

function isSuccess({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300;
}

/** The answer at the end of the redirects that `first` begins. */
async function follow(
  sendHttp: SendHttp,
  request: HttpRequest,
  giveUp: () => void,
  first: HttpAnswer,
): Promise<HttpAnswer> {
  let { url } = request;
  let answer = first;
  for (let followed = 0; !isSuccess(answer); followed++) {
    const { status, headers } = answer;
    const target = redirectTarget(url, answer);
    if (target === undefined) {
      const body = await readWithin(refusalMs, giveUp, readText(answer.body, mostOfRefusal, "cut"));
      throw new HttpStatusError(`it answered with HTTP ${status}`, { status, headers, body });
    }
    await readWithin(refusalMs, giveUp, discard(answer.body));
    const keepsMethod = request.method === "GET" || status === 307 || status === 308;
    if (target.origin !== url.origin || !keepsMethod || followed === mostRedirects) {
      throw new HttpStatusError(unfollowed(target), { status, headers, body: "" });
    }
    url = target;
    answer = await sendHttp({ ...request, url });
  }
  return answer;
}

/** What is read, or nothing when that fails or takes too long. */
async function readWithin(
  limitMs: number,
  giveUp: () => void,
  reading: Promise<string | void>,
): Promise<string> {
  const limit = setTimeout(giveUp, limitMs);
  try {
    return (await reading) ?? "";
  } catch {
    return "";
  } finally {
    clearTimeout(limit);
  }
}

function redirectTarget(url: URL, { status, headers }: HttpAnswer): URL | undefined {
  const location = [301, 302, 303, 307, 308].includes(status) ? headers["location"] : undefined;
  return location !== undefined && URL.canParse(location, url.href)
    ? new URL(location, url)
    : undefined;
}

function unfollowed(target: URL): string {
  const shown = oneLine(target.origin + target.pathname, 200);
  return `it redirects to ${shown}, where it is not followed: if that is the right server, use that url`;
}

/**
 * A body as text.
 * @param beyond what to do with one of more than `mostBytes`: keep the beginning, or
 * @throws MessageFault
 */
export async function readText(
  body: HttpBody,
  mostBytes: number,
  beyond: "cut" | MessageLimits,
): Promise<string> {
  const { whole: come } = body;
  if (come !== undefined && come.length <= mostBytes) return textOf(come);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > mostBytes) {
      if (beyond !== "cut") throw tooLarge(beyond);
      chunks.push(chunk.subarray(0, chunk.length - (size - mostBytes)));
      break;
    }
    chunks.push(chunk);
  }
  const [first] = chunks;
  const whole = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
  return textOf(whole);
}

/** UTF-8 as text. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}

/**
 * For a message to which nothing is answered: calls `giveUp` when the server has not taken it in time.
 * @throws what `sending` throws, or in its place a reason that says so
 */
export async function sendWithin<Value>(
  giveUp: () => void,
  sending: Promise<Value>,
): Promise<Value> {
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    giveUp();
  }, takeMessageMs);
  try {
    return await sending;
  } catch (error) {
    if (!late) throw error;
    const seconds = takeMessageMs / 1000;
    throw new Error(`it did not take a message within ${seconds} s`, { cause: error });
  } finally {
    clearTimeout(limit);
  }
}

/** Reads away a body of no interest, so that the connection can serve the next request; gives a long one up. */
export async function discard(body: HttpBody): Promise<void> {
  await readText(body, mostOfRefusal, "cut").catch(() => undefined);
}

/** Lower case, without parameters; empty when there is none. */
export function mediaTypeOf({ headers }: HttpAnswer): string {
  return (headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** A failure of the network or of the server in one line. */
export function reasonOf(error: unknown): string {
  if (error instanceof HttpStatusError || error instanceof MessageFault) return error.message;
  for (let at = error, depth = 0; at instanceof Error && depth < 8; depth++) {
    const code = systemErrorCode(at);
    if (code !== undefined && /^[A-Z][A-Z0-9_]+$/.test(code))
      return `the connection failed (${code})`;
    at = at.cause;
  }
  return oneLine(error instanceof Error ? error.message : String(error));
}
