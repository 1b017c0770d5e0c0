import { readFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { silentClient } from "../../../src/core/client-port.ts";
import type {
  HttpServerConfiguration,
  ServerConfiguration,
  StdioServerConfiguration,
} from "../../../src/core/configuration.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Logger } from "../../../src/core/logger.ts";
import type { UpstreamTimings } from "../../../src/upstream/timings.ts";
import type { Upstream, UpstreamRequest, UpstreamState } from "../../../src/upstream/upstream.ts";
import { createUpstreamPool } from "../../../src/upstream/upstream-pool.ts";
import type { ConfigurablePool } from "../../../src/upstream/upstream-pool.ts";

const fixtures = join(import.meta.dirname, "../../fixtures");
const modules = join(import.meta.dirname, "../../../node_modules/@modelcontextprotocol");

const common = {
  tags: [],
  disabled: false,
  timeoutMs: 30_000,
  connectionWritten: false,
  tools: { allow: [], deny: [], descriptions: {} },
  pin: "off" as const,
  access: { read: [], write: [], organizations: [], trustHints: true },
};

export function stdioServer(
  name: string,
  file: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): StdioServerConfiguration {
  return {
    ...common,
    name,
    prefix: name,
    type: "stdio",
    connection: "shared",
    command: process.execPath,
    args: [join(fixtures, file), ...args],
    env: { PATH: process.env["PATH"] ?? "", ...env },
  };
}

export function realServer(name: string, args: readonly string[] = []): StdioServerConfiguration {
  const file = join(modules, `server-${name}`, "dist/index.js");
  return { ...stdioServer(name, ""), args: [file, ...args] };
}

export function httpServer(
  name: string,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): HttpServerConfiguration {
  return {
    ...common,
    name,
    prefix: name,
    type: "http",
    connection: "session",
    url,
    headers,
    forwardIdentity: false,
  };
}

export interface LogLine {
  level: string;
  message: string;
  fields: Readonly<Record<string, unknown>> | undefined;
}

export interface TestPool extends ConfigurablePool {
  readonly log: readonly LogLine[];
  get(name: string): Upstream;
  /** Resolves once the condition holds; looked at after each change of the pool. */
  until(condition: () => boolean): Promise<void>;
  /** Resolves with the state once the server is in the one asked for. */
  reaches(name: string, kind: UpstreamState["kind"]): Promise<UpstreamState>;
}

/** A pool that is closed at the end of the test. Its back-off pauses are short. */
export function openPool(
  servers: readonly ServerConfiguration[],
  timings: Partial<UpstreamTimings> = {},
  now: () => number = Date.now,
): TestPool {
  const log: LogLine[] = [];
  const write =
    (level: string): Logger["info"] =>
    (message, fields) => {
      log.push({ level, message, fields });
    };
  const pool = createUpstreamPool({
    servers: new Map(servers.map((server) => [server.name, server])),
    logger: {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
    },
    now,
    version: "0.0.0-test",
    random: () => 0,
    timings: { firstPauseMs: 10, relistMs: 1, ...timings },
  });
  onTestFinished(() => pool.close());
  const until = async (condition: () => boolean): Promise<void> => {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const stop = pool.onChange(() => {
        if (!condition()) return;
        stop();
        resolve();
      });
    });
  };
  const get = (name: string): Upstream => {
    const upstream = pool.upstreams.get(name);
    if (upstream === undefined) throw new Error(`no upstream ${name}`);
    return upstream;
  };
  return {
    ...pool,
    log,
    get,
    until,
    async reaches(name, kind) {
      let found = get(name).state;
      await until(() => {
        found = get(name).state;
        return found.kind === kind;
      });
      return found;
    },
  };
}

type CallOptions = Omit<UpstreamRequest, "method" | "params">;

export function callOptions(more: Partial<CallOptions> = {}): CallOptions {
  return {
    client: silentClient,
    signal: new AbortController().signal,
    timeoutMs: 20_000,
    maxTotalMs: 20_000,
    ...more,
  };
}

export async function callTool(
  upstream: Upstream,
  params: JsonObject,
  options: CallOptions,
): Promise<JsonObject> {
  return upstream.request({ ...options, method: "tools/call", params });
}

/** The error a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => Promise.reject(new Error("it did not fail")),
    (error: unknown) => error,
  );
}

/** Whether a process still runs; one that only waits to be reaped does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return process.platform !== "linux";
  }
}
