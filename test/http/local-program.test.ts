import { expect, it } from "vitest";
import { isLocalProgram } from "../../src/http/local-program.ts";

const host = "localhost:3050";

it.each([
  ["127.0.0.1", { host }],
  ["127.8.9.10", { host: "127.0.0.1:3050" }],
  ["::1", { host: "[::1]:3050" }],
  ["::ffff:127.0.0.1", { host: "LOCALHOST." }],
])("takes %s for a program of this machine", (peer, headers) => {
  expect(isLocalProgram(peer, { headers })).toBe(true);
});

it.each<[string, string | undefined, Record<string, string>]>([
  ["a peer of the network", "192.168.1.7", { host }],
  ["a peer of the network, mapped", "::ffff:10.0.0.1", { host }],
  ["a peer of the network by IPv6", "fe80::1", { host }],
  ["a peer whose address begins like loopback", "127.0.0.1.example.com", { host }],
  ["a peer that has gone", undefined, { host }],
  ["an empty peer", "", { host }],
  ["another Host", "127.0.0.1", { host: "mcp.example.com" }],
  ["no Host", "127.0.0.1", {}],
  ["an Origin, of this machine too", "127.0.0.1", { host, origin: "http://localhost:3000" }],
  ["Sec-Fetch-Site", "127.0.0.1", { host, "sec-fetch-site": "same-origin" }],
  ["Forwarded", "127.0.0.1", { host, forwarded: "for=127.0.0.1" }],
  ["X-Forwarded-Host", "127.0.0.1", { host, "x-forwarded-host": "localhost" }],
  ["Via", "127.0.0.1", { host, via: "1.1 proxy" }],
])("refuses %s", (_what, peer, headers) => {
  expect(isLocalProgram(peer, { headers })).toBe(false);
});
