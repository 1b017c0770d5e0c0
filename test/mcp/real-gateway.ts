import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import type { AuditSink } from "../../src/core/audit.ts";
import type {
  ServerConfiguration,
  StdioServerConfiguration,
} from "../../src/core/configuration.ts";
import { createGateway } from "../../src/gateway/create-gateway.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { createUpstreamPool } from "../../src/upstream/upstream-pool.ts";
import type { UpstreamPool } from "../../src/upstream/upstream.ts";
import { fakeDoor, serverConfiguration, silentLogger } from "../gateway/fakes.ts";
import { startTestServer } from "../http/support.ts";

const file = (path: string): string => new URL(`../../${path}`, import.meta.url).pathname;

/** Programs that are MCP servers on stdin and stdout, with their arguments. */
const programs = {
  everything: [file("node_modules/@modelcontextprotocol/server-everything/dist/index.js"), "stdio"],
  raw: [file("test/fixtures/raw-server.mjs")],
  modern: [file("test/fixtures/modern-server.mjs")],
} as const;

export function programServer(
  name: string,
  program: keyof typeof programs,
  more: Partial<StdioServerConfiguration> = {},
): ServerConfiguration {
  return serverConfiguration(name, {
    command: process.execPath,
    args: programs[program],
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "" },
    ...more,
  });
}

/** Our gateway before real servers, for all tests of the file; the address is there once they begin. */
export function gatewayBefore(
  configured: readonly ServerConfiguration[],
  audit: AuditSink,
): { readonly endpoint: URL; readonly pool: UpstreamPool } {
  const servers = new Map(configured.map((server) => [server.name, server]));
  let pool: UpstreamPool;
  let server: HttpServer;
  beforeAll(async () => {
    pool = createUpstreamPool({ servers, logger: silentLogger, now: Date.now, version: "0.0.0" });
    const gateway = createGateway({
      door: fakeDoor(),
      pool,
      servers: () => servers,
      auth: () => [],
      audit,
      now: Date.now,
      newId: randomUUID,
      randomBytes,
      logger: silentLogger,
      startWindowMs: 25_000,
    });
    server = await startTestServer({ gateway });
    await gateway.started;
  });
  afterAll(async () => {
    await server.close(0);
    await pool.close();
  });
  return {
    get endpoint() {
      return new URL(`http://127.0.0.1:${server.port}/mcp`);
    },
    get pool() {
      return pool;
    },
  };
}
