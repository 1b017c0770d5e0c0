import { describe, expect, test } from "vitest";
import type { LoadOptions } from "../../src/config/load-configuration.ts";
import { useConfigurationFolder } from "./support/configuration-folder.ts";

const { load, problem } = useConfigurationFolder();

describe("auth", () => {
  const tokens = [
    { name: "ci", token: "t1", role: "admin" },
    { name: "me", token: "t2" },
  ];

  test("static tokens have a role, admin by default", async () => {
    await expect(load({ auth: { type: "token", options: { tokens } } })).resolves.toMatchObject({
      auth: [
        {
          type: "token",
          tokens: [
            { name: "ci", token: "t1", role: "admin" },
            { name: "me", token: "t2", role: "admin" },
          ],
        },
      ],
    });
  });

  test.each<[what: string, auth: unknown, message: string]>([
    [
      "token without tokens",
      { type: "token" },
      "FILE:2: auth.options: is missing (it needs token or tokens)",
    ],
    [
      "token with empty options",
      { type: "token", options: {} },
      "FILE:4: auth.options: type token needs options with token or tokens",
    ],
    [
      "both forms",
      { type: "token", options: { token: "a", tokens } },
      "FILE:4: auth.options: has both token and tokens; write one of them",
    ],
    [
      "an empty token",
      { type: "token", options: { token: "" } },
      "FILE:5: auth.options.token: must not be empty",
    ],
    [
      "a token with a space",
      { type: "token", options: { token: "a b" } },
      "FILE:5: auth.options.token: holds characters that a header cannot carry, or spaces",
    ],
    [
      "a token that looks minted",
      { type: "token", options: { token: "od_x" } },
      "FILE:5: auth.options.token: must not begin with od_, which marks the gateway's own tokens",
    ],
    [
      "an unknown option",
      { type: "token", options: { tokn: "a" } },
      "FILE:5: auth.options.tokn: unknown key; did you mean token?",
    ],
    [
      "a wrong role",
      { type: "token", options: { tokens: [{ name: "a", token: "b", role: "god" }] } },
      'FILE:9: auth.options.tokens[0].role: expected "viewer", "editor" or "admin"',
    ],
    [
      "a token without a name",
      { type: "token", options: { tokens: [{ token: "b" }] } },
      "FILE:6: auth.options.tokens[0].name: is missing (expected a string)",
    ],
    [
      "one token twice",
      { type: "token", options: { tokens: [tokens[0], { name: "x", token: "t1" }] } },
      "FILE:13: auth.options.tokens[1].token: is the same token as an earlier one",
    ],
    [
      "options of local",
      { type: "local", options: { token: "a" } },
      "FILE:5: auth.options.token: unknown key; this type has no options",
    ],
    [
      "one type twice",
      [{ type: "local" }, { type: "local" }],
      'FILE:7: auth[1].type: "local" stands in the list twice',
    ],
    [
      "none beside another",
      [{ type: "local" }, { type: "none" }],
      'FILE:2: auth: "none" stands alone: it lets everybody in',
    ],
  ])("%s is refused", async (_what, auth, message) => {
    const [text] = await problem({ auth });
    expect(text).toBe(message);
  });

  test("a token never stands in a message", async () => {
    const [text] = await problem({ auth: { type: "token", options: { token: "my secret" } } });
    expect(text).not.toContain("secret");
  });

  test("--auth none and local replace the list; others are refused", async () => {
    await expect(load({}, { overrides: { auth: "none" } })).resolves.toMatchObject({
      auth: [{ type: "none" }],
    });
    await expect(problem({}, { overrides: { auth: "token" } })).resolves.toContain(
      "--auth token: the configuration has none",
    );
    await expect(problem({}, { overrides: { auth: "magic" } })).resolves.toContain(
      '--auth: "magic" is not a type to choose',
    );
  });
});

describe("listening beyond loopback", () => {
  test.each<[file: object, overrides: LoadOptions["overrides"], message: string]>([
    [
      { host: "0.0.0.0" },
      {},
      "FILE:2: host: 0.0.0.0 is reachable from other machines, which needs tls or an https externalUrl",
    ],
    [
      { host: "192.168.1.5", externalUrl: "http://gate.example" },
      {},
      "FILE:2: host: 192.168.1.5 is reachable from other machines, which needs tls or an https externalUrl",
    ],
    [
      {},
      { host: "::" },
      "--host: :: is reachable from other machines, which needs tls or an https externalUrl",
    ],
    [
      { externalUrl: "http://gate.example" },
      {},
      "FILE:2: externalUrl: must begin with https://, or tokens would cross the network in the clear",
    ],
    [{ externalUrl: "gate.example" }, {}, "FILE:2: externalUrl: is not a URL"],
    [
      { externalUrl: "https://u@gate.example" },
      {},
      "FILE:2: externalUrl: must hold no user name, query or fragment",
    ],
    [
      { auth: { type: "none" }, externalUrl: "https://gate.example" },
      {},
      'FILE:2: auth: "none" cannot stand beside externalUrl',
    ],
    [
      { host: "0.0.0.0", auth: { type: "none" } },
      { insecureHttp: true },
      'FILE:3: auth: "none" is only for a loopback host',
    ],
    [
      { host: "0.0.0.0", externalUrl: "https://x.example" },
      { auth: "none" },
      '--auth: "none" is only for a loopback host',
    ],
  ])("%j with %j is refused", async (written, overrides, message) => {
    const [text] = await problem(written, { overrides });
    expect(text).toBe(message);
  });

  test.each<[file: object, overrides: LoadOptions["overrides"]]>([
    [{ host: "0.0.0.0", externalUrl: "https://gate.example/prefix" }, {}],
    [{ host: "0.0.0.0" }, { insecureHttp: true }],
    [{ host: "127.0.0.9" }, {}],
    [{ externalUrl: "http://localhost:8080" }, {}],
    [{ auth: { type: "none" } }, {}],
  ])("%j with %j is accepted", async (written, overrides) => {
    await expect(load(written, { overrides })).resolves.toBeDefined();
  });
});
