import { expect, test } from "vitest";
import { changedSettings, isToOrFromNone } from "../../../src/cli/serve/changed-settings.ts";
import type { AuthConfiguration, Configuration } from "../../../src/core/configuration.ts";

const first: Configuration = {
  host: "127.0.0.1",
  port: 3050,
  allowedHosts: [],
  allowedOrigins: [],
  trustedProxies: [],
  allowQueryToken: false,
  maxBodyBytes: 1024,
  auth: [{ type: "local" }],
  rateLimit: { rpm: 60, roles: {}, tools: [] },
  servers: new Map(),
  presets: new Map(),
  writtenServers: new Map(),
};

test.each<[string, Partial<Configuration>]>([
  ["host", { host: "::1" }],
  ["port", { port: 1 }],
  ["externalUrl", { externalUrl: "https://gate.example" }],
  ["allowedHosts", { allowedHosts: ["gate"] }],
  ["allowedOrigins", { allowedOrigins: ["https://app.example"] }],
  ["trustedProxies", { trustedProxies: ["::1"] }],
  ["allowQueryToken", { allowQueryToken: true }],
  ["tls", { tls: { certFile: "/a.pem", keyFile: "/a.key" } }],
  ["maxBodyBytes", { maxBodyBytes: 2048 }],
])("%s waits for a restart", (key, changed) => {
  expect(changedSettings(first, { ...first, ...changed })).toEqual([key]);
  expect(changedSettings({ ...first, ...changed }, first)).toEqual([key]);
});

test("what is in effect at once is not complained about", () => {
  const changed: Configuration = {
    ...first,
    auth: [{ type: "simple", users: "own" }],
    rateLimit: { rpm: 1, roles: {}, tools: [] },
    auditRetentionDays: 1,
    externalUrl: undefined,
  };
  expect(changedSettings(first, changed)).toEqual([]);
});

const entry = (type: string): readonly AuthConfiguration[] => [
  type === "none" ? { type } : { type: "local" },
];

test.each<[AuthConfiguration["type"], AuthConfiguration["type"], boolean]>([
  ["local", "none", true],
  ["none", "local", true],
  ["none", "none", false],
  ["local", "local", false],
])("from %s to %s: %s", (from, to, waits) => {
  const [before, after] = [
    { ...first, auth: entry(from) },
    { ...first, auth: entry(to) },
  ];
  expect(isToOrFromNone(before, after)).toBe(waits);
  expect(changedSettings(before, after)).toEqual(waits ? ['auth (to or from "none")'] : []);
});
