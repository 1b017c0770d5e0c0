import type { Readable } from "node:stream";
import { rpcCodes } from "../core/json-rpc.ts";
import type { RpcFailure, RpcMessage } from "../core/json-rpc.ts";
import { timeLimit } from "../core/time-limit.ts";
import { toJsonRpcError } from "../gateway/json-rpc-error.ts";
import { createDuplexClient } from "./duplex-client.ts";
import type { DuplexOptions } from "./duplex-client.ts";
import { readJson } from "./read-json.ts";
import { failure } from "./rpc-messages.ts";

export interface StdioServerOptions extends Omit<DuplexOptions, "stream"> {
  /** Messages of the client, one a line (2025-11-25 and 2026-07-28, "stdio"). */
  input: Readable;
  /** Writes one line, with its end; resolves when it was handed over. Nothing else may write there. */
  write: (line: string) => Promise<void>;
  /** No message is looked at before it resolves; when it rejects, the server ends with its reason. */
  ready: Promise<void>;
  /** Aborting ends it at once; what is being worked on is cancelled. */
  signal: AbortSignal;
  /** How long requests may go on when the input has ended, in milliseconds. */
  graceMs: number;
  /** The longest line, in bytes; a longer one is refused and left out. */
  maxLineBytes: number;
}

/** What waits to be written beyond this, in bytes, and nothing more is read until the client has caught up. */
const mostUnread = 4 * 1024 * 1024;
const newline = 0x0a;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * An MCP server on a pair of pipes, for one client, in both eras. Resolves when the input has ended and what
 * was being worked on is answered, or the signal is aborted.
 * @throws the failure of the input, of the output, or of `ready`
 */
export async function serveStdio(options: StdioServerOptions): Promise<void> {
  const { input, signal, graceMs, maxLineBytes } = options;
  let unread = 0;
  let broken: unknown;
  const caughtUp = new Set<() => void>();

  const deliver = async (line: string): Promise<void> => {
    const size = Buffer.byteLength(line);
    unread += size;
    try {
      await options.write(line);
    } catch (error) {
      fail(error);
    }
    unread -= size;
    if (unread <= mostUnread) release();
  };
  const fail = (error: unknown): void => {
    broken ??= error;
    stop();
  };
  const write = (message: RpcMessage): void => {
    if (broken === undefined) void deliver(`${JSON.stringify(message)}\n`);
  };
  const release = (): void => {
    for (const resolve of caughtUp) resolve();
    caughtUp.clear();
  };
  const stop = (): void => {
    release();
    input.destroy();
  };
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const ready = options.ready.catch(fail);

  const client = createDuplexClient({
    ...options,
    stream: { send: write, keepsUp: () => unread <= mostUnread },
  });
  const receive = (line: Buffer | undefined): void => {
    if (line === undefined) {
      write(failure(null, { code: rpcCodes.invalidRequest, message: "The message is too long" }));
      return;
    }
    let fault: RpcFailure | undefined;
    try {
      fault = client.receive(readJson(textOf(line)));
    } catch (error) {
      fault = failure(null, toJsonRpcError(error));
    }
    if (fault !== undefined) write(fault);
  };

  try {
    for await (const line of linesOf(input, maxLineBytes)) {
      if (line?.every(isBlank) === true) continue;
      await ready;
      if (broken !== undefined || signal.aborted) break;
      receive(line);
      if (unread > mostUnread) await new Promise<void>((resolve) => caughtUp.add(resolve));
    }
    client.endStreams();
    await finished(client.idle(), graceMs, signal);
  } catch (error) {
    if (!signal.aborted && broken === undefined) throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    client.end();
  }
  if (broken !== undefined) throw broken;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}

/** Nothing for what is not UTF-8, which is no JSON then. */
function textOf(line: Buffer): string {
  try {
    return utf8.decode(line);
  } catch {
    return "";
  }
}

/** The lines without their ends; undefined for one that is too long, of which no more is kept than that. */
async function* linesOf(input: Readable, maxBytes: number): AsyncGenerator<Buffer | undefined> {
  let parts: Buffer[] = [];
  let size = 0;
  const add = (part: Buffer): void => {
    size += part.length;
    if (size > maxBytes) parts = [];
    else parts.push(part);
  };
  const take = (): Buffer | undefined => {
    const line = size > maxBytes ? undefined : Buffer.concat(parts);
    parts = [];
    size = 0;
    return line;
  };
  for await (const chunk of input as AsyncIterable<Buffer | string>) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    let start = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      add(bytes.subarray(start, end));
      start = end + 1;
      yield take();
    }
    if (start < bytes.length) add(bytes.subarray(start));
  }
  // The last line may lack its end.
  if (size > 0) yield take();
}

/** Resolves when the work is done, the time is over or the signal is aborted. */
async function finished(work: Promise<void>, limitMs: number, signal: AbortSignal): Promise<void> {
  const limit = timeLimit(limitMs, signal);
  const over = new Promise<void>((resolve) => {
    if (limit.aborted) resolve();
    else limit.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([work, over]);
}
