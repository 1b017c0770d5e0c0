import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UntrustedCertificate } from "../../../src/client/connection-failure.ts";
import { setNetwork } from "../../../src/client/network.ts";
import { AppError } from "../../../src/core/errors.ts";
import { Bench, runtimeRecord } from "./bench.ts";
import { loginOn, sitAt } from "./support/login-on.ts";
import type { LoginFlags } from "./support/login-on.ts";

const url = "https://gw.example.com";
let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => {
  setNetwork({ proxies: {} });
  bench.remove();
});

const login = (flags: LoginFlags = {}): Promise<void> => loginOn(bench, flags);

async function savedSecret(): Promise<string | undefined> {
  const [profile] = await bench.saved();
  return bench.secretOf(profile);
}

describe("which token", () => {
  test("a server that needs none: nothing saved, stdin unread, even with --token", async () => {
    bench.doors[url] = { open: true };
    await login({ url });
    await login({ url, token: "od_given" });
    expect(bench.stdout).toBe(`${url} needs no sign-in; nothing was saved\n`.repeat(2));
    expect(await bench.saved()).toEqual([]);
    expect(bench.seen.filter(({ token }) => token !== undefined)).toEqual([]);
  });

  test("--token is trimmed, warned of, and stdin is not touched", async () => {
    bench.doors[url] = { tokens: { od_given: "alice" } };
    await login({ url, token: " od_given\n" });
    expect(bench.notes.join()).toContain("ps");
    expect(await savedSecret()).toBe("od_given");
    expect(bench.stdout).toMatch(
      /^Signed in to https:\/\/gw\.example\.com as alice \(admin\), from --token; saved in .+; expiry not known\n$/u,
    );
  });

  test("ONEDOOR_TOKEN is not its twin", async () => {
    bench.doors[url] = { tokens: { of_env: "env", of_pipe: "alice" } };
    bench.variables = { ONEDOOR_TOKEN: "of_env" };
    bench.pipe("of_pipe\n");
    await login({ url });
    expect(await savedSecret()).toBe("of_pipe");
    expect(bench.notes.join("\n")).toContain(
      "ONEDOOR_TOKEN is set and wins over the saved profile",
    );
  });

  test("stdin comes before the running gateway's own token", async () => {
    bench.runGateway();
    bench.doors[runtimeRecord.url] = { tokens: { of_pipe: "bob" } };
    bench.pipe("\ufeffof_pipe\r\nrest\n");
    await login();
    expect(await savedSecret()).toBe("of_pipe");
    expect(bench.minted).toBe(0);
  });

  test("an empty pipe is said and counts as no token", async () => {
    bench.runGateway();
    bench.pipe("");
    await login();
    expect(bench.notes).toContain("stdin was empty: did the command before the pipe fail?");
    expect(await savedSecret()).toBe("od_minted_1");
  });

  test("an empty first line is an empty token", async () => {
    bench.runGateway();
    bench.pipe("\n");
    await expect(login()).rejects.toMatchObject({
      code: "usage",
      message: "The token from stdin is empty",
    });
    expect(bench.minted).toBe(0);
  });

  test("--local does not read stdin", async () => {
    bench.runGateway();
    await login({ local: true });
    expect(bench.stdout).toMatch(
      /^Signed in to http:\/\/127\.0\.0\.1:3050 as alice \(admin\), from your own gateway; saved in .+; expires 2026-11-22 10:00 UTC, renewed by itself\n$/u,
    );
    const [profile] = await bench.saved();
    expect(profile).toMatchObject({
      source: "local",
      instanceId: "instance-one",
      tokenId: "id-1",
      server: "onedoor",
      store: "file",
    });
  });

  test("--local is for the gateway of this user alone", async () => {
    bench.runGateway();
    bench.doors[url] = {};
    await expect(login({ local: true, url })).rejects.toMatchObject({ code: "unreachable" });
    await expect(login({ local: true, token: "x" })).rejects.toMatchObject({ code: "usage" });
    expect(bench.minted).toBe(0);
  });

  test("--local at a gateway that mints none says so, and proves nothing to it", async () => {
    bench.runGateway();
    bench.doors[runtimeRecord.url] = { ways: ["token"] };
    await expect(login({ local: true })).rejects.toMatchObject({
      code: "usage",
      message: "The gateway at http://127.0.0.1:3050 mints no local tokens",
    });
    bench.pipe("");
    await expect(login()).rejects.toMatchObject({ code: "usage" });
    expect(bench.minted).toBe(0);
  });

  test("no way left: the ways of this server are named", async () => {
    bench.doors[url] = {};
    bench.pipe("");
    await expect(login({ url })).rejects.toMatchObject({
      code: "usage",
      message: `No token for ${url}`,
      hint: `agent auth login --url ${url} < token.txt (a token of that gateway, or a token from its configuration); or agent auth login --url ${url} --local (on its machine, as the user that it runs as)`,
    });
  });

  test.each([
    [
      { type: "simple", description: "With email address and password: POST /auth/login" },
      "agent auth login --url https://gw.example.com --email <address> < password.txt",
    ],
    [
      { type: "jwt", description: "With a JWT of id.example: agent auth login --token <token>" },
      "agent auth login --url https://gw.example.com < token.txt (a JWT of id.example)",
    ],
    [
      { type: "oauth", description: "", issuer: "https://id.example.com/realm" },
      "agent auth login --url https://gw.example.com < token.txt; or agent auth login --url https://gw.example.com --client-credentials --client-id <id> (its secret on stdin); or on a terminal: agent auth login --url https://gw.example.com --web (at id.example.com; --device where there is no browser)",
    ],
    [
      { type: "token", description: "rm -rf ~" },
      "agent auth login --url https://gw.example.com < token.txt (a token from its configuration)",
    ],
    [{ type: "card", description: "Show it\nto the reader" }, "card: Show it to the reader"],
  ])("a way in is a command that can be pasted: %j", async (way, step) => {
    bench.doors[url] = { ways: [way] };
    bench.pipe("");
    await expect(login({ url })).rejects.toMatchObject({ hint: step });
  });

  test("no way shows a token, or a password, to who lists processes", async () => {
    const ways = ["local", "token", "jwt", "simple", "bearer", "oauth"];
    bench.doors[url] = { ways };
    bench.pipe("");
    const error: unknown = await login({ url }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ hint: expect.not.stringMatching(/--token|-d '/u) });
  });

  test.each(["two words", "be\u001bll", "Bearer od_x", "k\u00e9y"])(
    "%j is refused before anybody is shown it",
    async (token) => {
      bench.doors[url] = { tokens: { [token]: "alice" } };
      bench.pipe(`${token}\n`);
      const failure: unknown = await login({ url }).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "usage" });
      expect(String(failure)).not.toContain(token);
      expect(bench.seen.filter((seen) => seen.token !== undefined)).toEqual([]);
    },
  );

  test.each([0, -1, 1e9, Number.NaN])("--stdin-timeout %s is refused", async (stdinTimeout) => {
    await expect(login({ url, stdinTimeout })).rejects.toMatchObject({ code: "usage" });
  });
});

describe("proved before it is saved", () => {
  test("rejected: nothing saved, the earlier profile unchanged", async () => {
    bench.doors[url] = { tokens: { od_saved: "alice" } };
    const earlier = await bench.save(url);
    await expect(login({ url, token: "od_wrong" })).rejects.toMatchObject({
      code: "auth_rejected",
      message: `Token rejected by ${url}; nothing saved, the earlier profile is unchanged`,
    });
    expect(await bench.saved()).toEqual([earlier]);
    expect(await savedSecret()).toBe("od_saved");
  });

  test("unreachable: nothing saved, and the token was not asked for", async () => {
    bench.doors[url] = { down: true };
    await expect(login({ url, token: "od_x" })).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringContaining("nothing saved"),
      hint: expect.stringContaining("--no-verify"),
    });
    bench.pipe("od_x\n");
    await expect(login({ url })).rejects.toMatchObject({
      hint: expect.stringContaining("--no-verify"),
    });
    expect(bench.stdin?.readable).toBe(true);
    expect(await bench.saved()).toEqual([]);
  });

  test.each([
    ["no token is given", (): void => sitAt(bench), {}],
    [
      "a proxy stands between",
      (): void =>
        setNetwork({ proxies: { https: { name: "HTTPS_PROXY", value: "http://127.0.0.1:9" } } }),
      { token: "od_x" },
    ],
  ] as const)("unreachable, and %s: what the failure itself says", async (_, arrange, flags) => {
    arrange();
    const hint = "Is the address right?";
    bench.doors[url] = { failure: new AppError("unreachable", "Cannot reach it", { hint }) };
    await expect(login({ url, ...flags })).rejects.toMatchObject({ code: "unreachable", hint });
  });

  test("a certificate that is not trusted: what would help, not --no-verify", async () => {
    const hint = "--cacert <file> (or NODE_EXTRA_CA_CERTS=<file>) adds a certificate authority";
    bench.doors[url] = { failure: new UntrustedCertificate("Cannot reach it", hint, undefined) };
    await expect(login({ url, token: "od_x" })).rejects.toMatchObject({
      code: "unreachable",
      message: "Cannot reach it; nothing saved",
      hint,
    });
    expect(await bench.saved()).toEqual([]);
  });

  test("--no-verify saves without asking anybody", async () => {
    bench.doors[url] = { down: true };
    await login({ url, token: "od_untested", noVerify: true });
    expect(bench.seen).toEqual([]);
    expect(bench.stdout).toMatch(/^Saved, not verified, a token for https:\/\/gw\.example\.com, /u);
    expect((await bench.saved())[0]?.server).toBeUndefined();
    expect(await savedSecret()).toBe("od_untested");
  });

  test("localhost in plain http: the listener that answered is the one that is kept", async () => {
    bench.doors["http://[::1]:4000/mcp"] = { tokens: { od_x: "alice" }, kind: "mcp" };
    await login({ url: "http://localhost:4000/mcp", token: "od_x" });
    const [profile] = await bench.saved();
    expect(profile).toMatchObject({
      url: "http://127.0.0.1:4000",
      endpoint: "http://localhost:4000/mcp",
      verifiedEndpoint: "http://[::1]:4000/mcp",
      server: "mcp",
    });
    expect(bench.seen.map(({ endpoint }) => endpoint)).toEqual([
      "http://127.0.0.1:4000/mcp",
      "http://[::1]:4000/mcp",
      "http://[::1]:4000/mcp",
    ]);
  });

  test("localhost with TLS keeps its name, which the certificate is for", async () => {
    bench.doors["https://localhost:4000"] = { tokens: { od_x: "alice" } };
    await login({ url: "https://localhost:4000", token: "od_x" });
    expect((await bench.saved())[0]?.verifiedEndpoint).toBeUndefined();
  });

  test("with --json the result is one object without the token", async () => {
    bench.doors[url] = { tokens: { od_given_secret: "alice" } };
    await login({ url, token: "od_given_secret", format: "json" });
    expect(JSON.parse(bench.stdout)).toEqual({
      url,
      name: "default",
      endpoint: `${url}/`,
      saved: true,
      verified: true,
      who: "alice",
      role: "admin",
      source: "option",
      store: "file",
      storeReason: expect.stringMatching(/^No keychain here \(/u),
      expiresAt: null,
      renews: false,
      issuer: null,
      scope: null,
    });
    await login({ url, token: "od_given_secret", format: "json", json: true });
    expect(bench.notes.filter((note) => note.includes("No keychain"))).toHaveLength(1);
  });
});

test("a token with scopes is saved without a role, which says nothing of what it may", async () => {
  bench.doors[url] = { tokens: { od_watcher: "alice" }, scopes: ["metrics"] };
  await login({ url, token: "od_watcher" });
  expect((await bench.saved())[0]).toMatchObject({ who: "alice", role: undefined });
  expect(bench.stdout).toContain("as alice, from");
});

test("several profiles of one URL live side by side; which one is used is said", async () => {
  bench.doors[url] = { tokens: { od_a: "alice", od_b: "bob" } };
  await login({ url, token: "od_a", profile: "work" });
  await login({ url, token: "od_b", profile: "home" });
  expect((await bench.saved()).map(({ name, who }) => [name, who])).toEqual([
    ["work", "alice"],
    ["home", "bob"],
  ]);
  expect(bench.notes.join("\n")).toContain(`Commands without --profile still use work for ${url}`);
});

test("a secret typed into a pipe is not waited for when the server is not there", async () => {
  bench.stdin = new PassThrough();
  await expect(login({ url: "https://down.example.com" })).rejects.toMatchObject({
    code: "unreachable",
  });
});
