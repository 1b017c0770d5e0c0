import { expect, test } from "vitest";
import { ownCertificates } from "../../src/cli/own-certificates.ts";

test.each([
  "0.0.0.0",
  "::",
  "::ffff:127.0.0.1",
  "[::ffff:127.0.0.1]",
  "a..b",
  "",
  "gw.example.com",
])("%j is no address of the own gateway, and nothing is said of it here", async (hostname) => {
  expect(await ownCertificates("/nowhere")({ hostname, port: 443 })).toBeUndefined();
});
