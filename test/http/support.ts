import { request, type Agent, type IncomingMessage } from "node:http";
import type { Administration } from "../../src/administration/administration.ts";
import type { AdministrationTokens } from "../../src/auth/administration-tokens.ts";
import type { CliTokenExchange } from "../../src/auth/cli-token-exchange.ts";
import type { Door } from "../../src/auth/door.ts";
import type { PasswordSignIn } from "../../src/auth/password-sign-in.ts";
import type { Standing } from "../../src/auth/standing.ts";
import type { MintedTokens } from "../../src/auth/token-mint.ts";
import type { AuditSink } from "../../src/core/audit.ts";
import { readTlsMaterial } from "../../src/config/read-tls-files.ts";
import type { Configuration } from "../../src/core/configuration.ts";
import type { Logger } from "../../src/core/logger.ts";
import type { Gateway } from "../../src/gateway/gateway.ts";
import { attachApp } from "../../src/http/attach-app.ts";
import type { AttachOptions } from "../../src/http/attach-app.ts";
import { openHttpServer } from "../../src/http/http-server.ts";
import type { HttpServer, HttpServerOptions } from "../../src/http/http-server.ts";
import { createMetrics } from "../../src/metrics/create-metrics.ts";
import type { Metrics } from "../../src/metrics/create-metrics.ts";
import { gatewayOf, fakeUpstream, goodToken, silentLogger } from "../gateway/fakes.ts";
import { administrationOverMemory } from "./organizations.ts";

export const good = { authorization: `Bearer ${goodToken}` };

/** Knows one token, which can be revoked once. */
function fakeMint(): MintedTokens & { revoked: string[] } {
  const revoked: string[] = [];
  return {
    revoked,
    mintCliToken: () => Promise.reject(new Error("not in this test")),
    revokeByBearer: (bearer) => {
      if (bearer !== goodToken || revoked.includes(bearer)) return Promise.resolve(false);
      revoked.push(bearer);
      return Promise.resolve(true);
    },
  };
}

/** Gives no tokens; for tests that ask for none. */
const noExchange: CliTokenExchange = {
  challenge: () => {
    throw new Error("not in this test");
  },
  redeem: () => Promise.reject(new Error("not in this test")),
};

export interface TestServerOptions {
  gateway?: Gateway;
  mint?: MintedTokens;
  standing?: Standing;
  door?: Pick<Door, "revoke">;
  signIn?: PasswordSignIn;
  development?: boolean;
  exchange?: CliTokenExchange;
  administration?: Administration;
  administrationTokens?: Pick<AdministrationTokens, "principalOf">;
  audit?: Pick<AuditSink, "queued" | "dropped" | "append">;
  metrics?: Metrics;
  configuration?: Partial<Configuration>;
  logger?: Logger;
  onCertificates?: HttpServerOptions["onCertificates"];
  certificateLookMs?: number;
  identityTokens?: AttachOptions["identityTokens"];
  approvals?: AttachOptions["approvals"];
}

export const testConfiguration: Configuration = {
  host: "127.0.0.1",
  port: 0,
  allowedHosts: [],
  allowedOrigins: [],
  trustedProxies: [],
  allowQueryToken: false,
  maxBodyBytes: 4 * 1024 * 1024,
  auth: [{ type: "local" }],
  rateLimit: { rpm: 0, roles: {}, tools: [] },
  servers: new Map(),
  presets: new Map(),
  writtenServers: new Map(),
};

/** The open port, to which nothing is attached. */
export function openTestServer(options: TestServerOptions = {}): Promise<HttpServer> {
  return openHttpServer({
    configuration: { ...testConfiguration, ...options.configuration },
    logger: options.logger ?? silentLogger,
    readTls: readTlsMaterial,
    onCertificates: options.onCertificates,
    certificateLookMs: options.certificateLookMs,
  });
}

export async function attachTestApp(
  server: HttpServer,
  options: TestServerOptions = {},
): Promise<void> {
  await attachApp(server, {
    gateway: options.gateway ?? gatewayOf([fakeUpstream("one")]).gateway,
    mint: options.mint ?? fakeMint(),
    standing: options.standing ?? { renew: (principal) => principal, onChanged: () => undefined },
    door: options.door ?? { revoke: () => Promise.resolve(false) },
    signIn: () => options.signIn,
    development: options.development ?? false,
    exchange: options.exchange ?? noExchange,
    administration: options.administration ?? (await administrationOverMemory()).administration,
    administrationTokens: options.administrationTokens ?? { principalOf: () => undefined },
    audit: options.audit ?? { queued: 0, dropped: 0, append: () => undefined },
    metrics: options.metrics ?? createMetrics({ version: "1.2.3", nodeVersion: "v20.1.0" }),
    configuration: { ...testConfiguration, ...options.configuration },
    version: "1.2.3",
    instanceId: "instance-1",
    logger: options.logger ?? silentLogger,
    identityTokens: options.identityTokens,
    approvals: options.approvals,
  });
}

export async function startTestServer(options: TestServerOptions = {}): Promise<HttpServer> {
  const server = await openTestServer(options);
  await attachTestApp(server, options);
  return server;
}

export interface Question {
  method?: string;
  headers?: Record<string, string | string[]>;
  /** An object is sent as JSON; text as it is, without a content type of its own. */
  body?: object | string;
  host?: string;
  /** Absent: a connection of its own, closed afterwards. */
  agent?: Agent;
}

export interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  text: string;
  json: unknown;
}

/** One request with exactly the headers given. */
export function ask(port: number, path: string, question: Question = {}): Promise<Answer> {
  const { body, headers, method, host = "127.0.0.1" } = question;
  const isJson = typeof body === "object";
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host,
        port,
        path,
        method: method ?? (body === undefined ? "GET" : "POST"),
        headers: { ...(isJson ? { "content-type": "application/json" } : {}), ...headers },
        agent: question.agent ?? false,
      },
      (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => (text += chunk));
        incoming.on("error", reject);
        incoming.on("end", () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text,
            json: jsonOf(text),
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(isJson ? JSON.stringify(body) : body);
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
