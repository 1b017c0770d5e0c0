import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { StdioServerConfiguration } from "../core/configuration.ts";
import { isRequest, rpcCodes } from "../core/json-rpc.ts";
import type { RequestId, RpcMessage } from "../core/json-rpc.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { createDeferred } from "./deferred.ts";
import { createJsonRpcLines } from "./json-rpc-lines.ts";
import type { LineTail } from "./line-tail.ts";
import { endProcessGroup, startProcessGroup } from "./process-group.ts";
import { isNestedBeyond, messageLimits } from "../mcp-client/message-limits.ts";
import type { Receiver, Transport } from "../mcp-client/transport.ts";
import type { JsonRpcLines } from "./json-rpc-lines.ts";
import { createTraffic } from "./traffic.ts";
import type { UpstreamTimings } from "./timings.ts";

/** Rubbish lines beyond these are counted only. */
const mostRubbishNotes = 3;
/** A process that does not read its input must not fill our memory with calls. */
const mostUnreadBytes = messageLimits.bytes;
/** Lines looked at before the other servers have their turn. */
const linesPerTurn = 64;

/** Every level of it takes two bytes at least. */
const tooShortToBeTooDeep = messageLimits.depth * 2;

/**
 * MCP over the standard input and output of a process of our own (MCP, stdio transport): a process group,
 * so that no grandchild outlives it. Skips lines on stdout that are no messages, and notices the death of
 * the process even when a grandchild keeps its pipes open.
 */
export class StdioTransport implements Transport {
  readonly kind = "pipe";
  readonly hasSession = false;
  /** Whether the process could be started. */
  get started(): boolean {
    return this.#child !== undefined;
  }
  /** Lines on stdout so far that were no messages. */
  rubbishLines = 0;
  /** Why the connection ended by itself; absent while it holds, and when `close` ended it. */
  lossReason: string | undefined;

  readonly #configuration: StdioServerConfiguration;
  readonly #timings: UpstreamTimings;
  readonly #tail: LineTail;
  #child: ChildProcessWithoutNullStreams | undefined;
  #receiver: Receiver | undefined;
  #exit: string | undefined;
  #exitTimer: NodeJS.Timeout | undefined;
  #restTimer: NodeJS.Timeout | undefined;
  readonly #traffic = createTraffic();
  #closed = false;
  #ended: Promise<void> = Promise.resolve();
  readonly #lost = createDeferred<string>();

  constructor(configuration: StdioServerConfiguration, tail: LineTail, timings: UpstreamTimings) {
    this.#configuration = configuration;
    this.#tail = tail;
    this.#timings = timings;
  }

  /** @throws Error whose message is the reason, when the program cannot be started */
  async start(receiver: Receiver): Promise<void> {
    this.#receiver = receiver;
    const { command, args, cwd, env } = this.#configuration;
    let child: ChildProcessWithoutNullStreams;
    try {
      child = startProcessGroup({ command, args, cwd, env });
      await new Promise<void>((resolve, reject) => {
        child.once("spawn", resolve);
        child.once("error", reject);
      });
    } catch (error) {
      this.#closed = true;
      this.lossReason = this.#spawnFailure(error);
      throw new Error(this.lossReason, { cause: error });
    }
    this.#child = child;
    this.#listen(child);
    // Closed while the process was being started: it must not stay behind.
    if (this.#closed) this.#end();
  }

  async send(message: RpcMessage): Promise<void> {
    const stdin = this.#child?.stdin;
    if (stdin === undefined || this.#closed || !stdin.writable) throw new Error("Not connected");
    if (stdin.writableLength > mostUnreadBytes) throw new Error("It does not read its input");
    const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
    const written = this.#traffic.sending(message, bytes.length);
    if (this.#traffic.leavesRepliesUnread) {
      this.#lose("does not read its input");
      throw new Error("It does not read its input");
    }
    try {
      await new Promise<void>((resolve, reject) => {
        stdin.write(bytes, (error) => {
          if (error) reject(error);
          else resolve();
        });
      });
    } catch (error) {
      // A pipe breaks a moment before the exit that explains it is seen.
      const graceMs = this.#timings.exitGraceMs * 2;
      await Promise.race([this.#lost.promise, pause(graceMs, undefined, { ref: false })]);
      throw error;
    } finally {
      written();
    }
  }

  /** Ends the process and its group; resolves when they are gone (bounded by the timings). */
  async close(): Promise<void> {
    if (!this.#closed) this.#finish(undefined);
    await this.#ended;
  }

  #listen(child: ChildProcessWithoutNullStreams): void {
    const lines = createJsonRpcLines(messageLimits, {
      onMessage: (message, bytes, cost) => this.#onMessage(message, bytes, cost),
      onFaultyAnswer: (id) => this.#onFaultyAnswer(id),
      onRubbish: (line) => this.#onRubbish(line),
      onOverflow: (limit) => this.#lose(`sent a message of more than ${limit}`),
    });
    child.stdout.on("data", (bytes: Buffer) => {
      // Closed, nobody looks; but a process blocked in writing would not notice that it is to end.
      if (this.#closed) return;
      lines.push(bytes);
      this.#takeTurn(child, lines);
    });
    child.stderr.on("data", (bytes: Buffer) => this.#tail.write(bytes));
    child.stdin.on("error", () => this.#expectExit("closed its standard input"));
    child.stdout.on("error", () => this.#expectExit("closed its standard output"));
    child.stderr.on("error", () => undefined);
    child.stdout.on("end", () => this.#expectExit("closed its standard output"));
    // What could not be started is told by `start`; what could not be signalled shows at its end.
    child.on("error", () => undefined);
    child.on("exit", (code, signal) => {
      this.#exit =
        signal === null
          ? `exited with code ${code ?? "unknown"}`
          : `its process was killed (${signal})`;
      // Its last answer may still be in the pipe, which a grandchild can hold open for ever.
      if (child.stdout.readableEnded) this.#lose(this.#exit);
      else this.#expectExit(this.#exit);
    });
  }

  /** Some of what was read; the rest when the others had their turn, and not faster than the limits allow. */
  #takeTurn(child: ChildProcessWithoutNullStreams, lines: JsonRpcLines): void {
    const more = lines.take(linesPerTurn);
    if (this.#closed) return;
    const restMs = this.#traffic.restMs();
    if (!more && restMs === 0) {
      child.stdout.resume();
      return;
    }
    child.stdout.pause();
    const again = (): void => this.#takeTurn(child, lines);
    if (restMs === 0) setImmediate(again);
    else this.#restTimer = setTimeout(again, restMs);
  }

  #onMessage(message: RpcMessage, bytes: number, cost: number): void {
    if (this.#closed) return;
    if (this.#traffic.received(message, cost) === "unasked") this.#loseWhenFlooded();
    else if (this.#traffic.leavesRepliesUnread) this.#lose("does not read its input");
    else if (bytes > tooShortToBeTooDeep && isNestedBeyond(message, messageLimits.depth)) {
      this.#refuse(message);
    } else this.#receiver?.onMessage(message, undefined);
  }

  #onFaultyAnswer(id: RequestId): void {
    if (this.#closed) return;
    const unasked = this.#traffic.received({ jsonrpc: "2.0", id, result: {} }, 0) === "unasked";
    if (unasked) this.#loseWhenFlooded();
    else this.#receiver?.onFault(id, "it answered with something that is not a result");
  }

  /** What is nested too deeply is not handed on: who comes after walks it by recursion. */
  #refuse(message: RpcMessage): void {
    if (!("method" in message)) {
      this.#receiver?.onFault(message.id ?? undefined, "it sent something nested too deeply");
    } else if (isRequest(message)) {
      const error = { code: rpcCodes.invalidRequest, message: "Nested too deeply" };
      this.send({ jsonrpc: "2.0", id: message.id, error }).catch(() => undefined);
    }
  }

  #loseWhenFlooded(): void {
    const { tooManyUnasked } = this.#traffic;
    if (tooManyUnasked !== undefined) this.#lose(tooManyUnasked);
  }

  /** A pipe or the process ended: the other one follows at once, or is not waited for. */
  #expectExit(otherwise: string): void {
    if (this.#closed) return;
    if (this.#exit !== undefined && this.#child?.stdout.readableEnded === true) {
      this.#lose(this.#exit);
      return;
    }
    this.#exitTimer ??= setTimeout(
      () => this.#lose(this.#exit ?? otherwise),
      this.#timings.exitGraceMs,
    );
  }

  #lose(reason: string): void {
    if (this.#closed) return;
    this.#finish(
      this.rubbishLines === 0
        ? reason
        : `${reason}; ${this.rubbishLines} lines on its standard output were no MCP messages`,
    );
  }

  #finish(lossReason: string | undefined): void {
    this.#closed = true;
    this.lossReason = lossReason;
    clearTimeout(this.#exitTimer);
    clearTimeout(this.#restTimer);
    this.#child?.stdout.resume();
    this.#end();
    if (lossReason === undefined) return;
    this.#lost.resolve(lossReason);
    this.#receiver?.onLost(lossReason);
  }

  #end(): void {
    if (this.#child === undefined) return;
    this.#ended = endProcessGroup(this.#child, this.#timings).then(() => this.#tail.finishLine());
  }

  #onRubbish(line: string): void {
    if (this.#closed) return;
    this.rubbishLines++;
    this.#traffic.receivedRubbish();
    if (this.rubbishLines <= mostRubbishNotes) {
      this.#tail.note(`[stdout, not an MCP message] ${line.slice(0, 400)}`);
    }
    this.#loseWhenFlooded();
  }

  #spawnFailure(error: unknown): string {
    const { command, cwd } = this.#configuration;
    const shown = JSON.stringify(command);
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") {
      return cwd !== undefined && !existsSync(cwd)
        ? `the working directory ${JSON.stringify(cwd)} does not exist`
        : `the command ${shown} was not found`;
    }
    if (code === "EACCES") return `the command ${shown} may not be executed`;
    return `the command ${shown} could not be started (${code ?? String(error)})`;
  }
}
