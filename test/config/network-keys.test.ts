import { describe, expect, test } from "vitest";
import { useConfigurationFolder } from "./support/configuration-folder.ts";

const { load, problem } = useConfigurationFolder();
const server = (entry: object) => ({ mcpServers: { a: entry } });

describe("trustedProxies", () => {
  const noAddress = "is not an IP address, nor a network such as 10.0.0.0/8";
  const everybody = "would believe everybody, who could then claim to be anybody";

  test("are addresses and networks of both families", async () => {
    const trustedProxies = [
      "10.1.2.3",
      "10.0.0.0/8",
      "::1",
      "fd00::/8",
      "::ffff:10.0.0.0/104",
      "192.0.2.1/32",
      "2001:db8::1/128",
    ];
    await expect(load({ trustedProxies })).resolves.toMatchObject({ trustedProxies });
  });

  test("are none where nothing is written", async () => {
    await expect(load({})).resolves.toMatchObject({ trustedProxies: [] });
  });

  test.each<[unknown, string]>([
    ["10.0.0.1", "FILE:2: trustedProxies: expected a list of addresses and networks"],
    [[7], "FILE:3: trustedProxies[0]: expected an address or a network"],
    ...[
      "",
      "proxy.example.com",
      "10.0.0",
      "10.0.0.1:80",
      "[::1]",
      "fe80::1%eth0",
      "10.0.0.0/8/8",
    ].map((text): [unknown, string] => [[text], `FILE:3: trustedProxies[0]: ${noAddress}`]),
    [
      ["::1", "10.0.0.0/33"],
      "FILE:4: trustedProxies[1]: the number after / must be between 1 and 32",
    ],
    [["::/129"], "FILE:3: trustedProxies[0]: the number after / must be between 1 and 128"],
    [["10.0.0.0/"], "FILE:3: trustedProxies[0]: the number after / must be between 1 and 32"],
    [["10.0.0.0/08"], "FILE:3: trustedProxies[0]: the number after / must be between 1 and 32"],
    [["10.0.0.0/-1"], "FILE:3: trustedProxies[0]: the number after / must be between 1 and 32"],
    [["0.0.0.0/0"], `FILE:3: trustedProxies[0]: ${everybody}`],
    [["::/0"], `FILE:3: trustedProxies[0]: ${everybody}`],
    [["::ffff:0:0/96"], `FILE:3: trustedProxies[0]: ${everybody}`],
  ])("%j are refused", async (trustedProxies, message) => {
    expect((await problem({ trustedProxies }))[0]).toBe(message);
  });
});

describe("allowQueryToken", () => {
  test("is off where nothing is written", async () => {
    await expect(load({})).resolves.toMatchObject({ allowQueryToken: false });
    await expect(load({ allowQueryToken: true })).resolves.toMatchObject({ allowQueryToken: true });
  });

  test("is true or false", async () => {
    expect((await problem({ allowQueryToken: "yes" }))[0]).toBe(
      "FILE:2: allowQueryToken: expected true or false",
    );
  });
});

describe("forwardIdentity", () => {
  const url = "https://mcp.example.com/mcp";

  test.each([
    [{ url }, false],
    [{ url, forwardIdentity: true }, true],
    [{ url, type: "sse", forwardIdentity: true }, true],
    [{ url, forwardIdentity: false, headers: { Authorization: "Bearer x" } }, false],
    [{ url, forwardIdentity: true, headers: { "X-Key": "x" } }, true],
  ])("%j", async (entry, forwardIdentity) => {
    const { servers } = await load(server(entry));
    expect(servers.get("a")).toMatchObject({ forwardIdentity });
  });

  test.each<[object, string]>([
    [{ command: "x", forwardIdentity: true }, "belongs to a server with url"],
    [{ command: "x", forwardIdentity: false }, "belongs to a server with url"],
    [
      { url, forwardIdentity: true, headers: { authorization: "Bearer x" } },
      "stands beside an Authorization header; a request carries one",
    ],
    [{ url, forwardIdentity: 1 }, "expected true or false"],
  ])("%j is refused", async (entry, reason) => {
    const [message] = await problem(server(entry));
    expect(message.replace(/^FILE:\d+: /u, "")).toBe(`mcpServers.a.forwardIdentity: ${reason}`);
  });

  test("over plain http is told", async () => {
    const doubts: string[] = [];
    const onDoubt = (doubt: string) => doubts.push(doubt);
    await load(server({ url: "http://mcp.internal/mcp", forwardIdentity: true }), { onDoubt });
    await load(server({ url: "http://localhost:1/mcp", forwardIdentity: true }), { onDoubt });
    expect(doubts).toEqual([
      expect.stringMatching(
        /:5: mcpServers\.a\.forwardIdentity: sends who the caller is over the network in the clear: use https in url$/u,
      ),
    ]);
  });
});

test("none cannot stand where others are believed to be in front", async () => {
  const written = { auth: { type: "none" }, trustedProxies: ["127.0.0.1"] };
  expect(await problem(written)).toEqual([
    'FILE:2: auth: "none" cannot stand beside trustedProxies',
    'leave trustedProxies out, or take "local" or another type, with tls or an https externalUrl',
  ]);
});
