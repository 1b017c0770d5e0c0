import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bearerFor, chooseServer, findServer } from "../../../src/cli/server-choice.ts";
import type { ServerChoice, ServerChoiceOptions } from "../../../src/cli/server-choice.ts";
import type { Bearer } from "../../../src/cli/bearer.ts";
import { profileId } from "../../../src/profiles/profile-id.ts";
import { Bench, runtimeRecord } from "./bench.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.remove());

function choose(options: ServerChoiceOptions = {}): Promise<ServerChoice> {
  return chooseServer(options, bench.context, bench.dependencies);
}

async function bearer(options: ServerChoiceOptions = {}): Promise<Bearer> {
  const { context, dependencies } = bench;
  return bearerFor(await choose(options), options, context, dependencies);
}

describe("which server", () => {
  test("--url, then ONEDOOR_URL, then the running gateway, then the default profile's", async () => {
    await bench.save("https://saved.example.com");
    expect(await choose()).toMatchObject({
      how: "profile",
      canonical: "https://saved.example.com",
    });
    bench.runGateway();
    expect(await choose()).toMatchObject({ how: "runtime", endpoint: "http://127.0.0.1:3050/" });
    bench.variables = { ONEDOOR_URL: "https://env.example.com/mcp" };
    expect(await choose()).toMatchObject({
      how: "environment",
      canonical: "https://env.example.com",
      endpoint: "https://env.example.com/mcp",
    });
    expect(await choose({ url: "https://given.example.com" })).toMatchObject({
      how: "option",
      canonical: "https://given.example.com",
    });
    expect(bench.notes).toEqual([
      "Using https://saved.example.com (profile default)",
      "Using https://env.example.com/mcp (ONEDOOR_URL)",
    ]);
  });

  test("nothing at all is said as such, and nothing is asked", async () => {
    expect(await findServer({}, bench.context, bench.dependencies)).toBeUndefined();
    await expect(choose()).rejects.toMatchObject({ code: "unreachable" });
    expect(bench.seen).toEqual([]);
  });

  test("a token in the environment, and nothing that says for where", async () => {
    bench.variables = { ONEDOOR_TOKEN: "od_environment" };
    await expect(choose()).rejects.toMatchObject({
      code: "usage",
      message: "ONEDOOR_TOKEN is set, but no server is named",
      hint: "ONEDOOR_URL=<url>, or --url <url>",
    });
  });

  test("is said once, however often a command tries", async () => {
    bench.runGateway();
    bench.terminal = true;
    const { context } = bench;
    await chooseServer({}, context, bench.dependencies);
    await chooseServer({}, context, bench.dependencies);
    expect(bench.notes).toHaveLength(1);
  });

  test("the running gateway is said on a terminal, elsewhere only where a profile changes", async () => {
    bench.runGateway();
    await choose();
    expect(bench.notes).toEqual([]);
    const line = "Using http://127.0.0.1:3050 (the running gateway)";
    await choose({ sayServer: true });
    expect(bench.notes.splice(0)).toEqual([line]);
    bench.terminal = true;
    await choose();
    expect(bench.notes).toEqual([line]);
  });

  test("a runtime file that others could have written counts for nothing, and is said", async () => {
    bench.runtime = { kind: "untrusted", reason: "is a symbolic link" };
    await expect(choose()).rejects.toMatchObject({ code: "unreachable" });
    expect(bench.notes.join()).toContain("is a symbolic link");
  });

  test("a wrong ONEDOOR_URL says whose fault it is", async () => {
    bench.variables = { ONEDOOR_URL: "localhost:3050" };
    await expect(choose()).rejects.toMatchObject({
      code: "usage",
      message: expect.stringMatching(/^ONEDOOR_URL: /u),
      hint: "Did you mean http://localhost:3050",
    });
  });

  test("plain http to another machine is taken only where a profile agreed to it", async () => {
    const url = "http://gw.example.com";
    await expect(choose({ url })).rejects.toMatchObject({ code: "usage" });
    expect(await choose({ url, insecureHttp: true })).toMatchObject({ canonical: url });
    await bench.save(url);
    expect(await choose({ url })).toMatchObject({ canonical: url });
  });

  test("every name of the loopback interface leads to the listener that was verified", async () => {
    await bench.save("http://localhost:4000/mcp", { verifiedEndpoint: "http://[::1]:4000/mcp" });
    for (const url of ["http://127.0.0.1:4000", "http://localhost:4000", "http://[::1]:4000/sse"]) {
      expect((await choose({ url })).endpoint).toBe("http://[::1]:4000/mcp");
    }
    // A token of one's own goes where one says.
    const own = await choose({ url: "http://127.0.0.1:4000", token: "mine" });
    expect(own.endpoint).toBe("http://127.0.0.1:4000/");
  });

  test("--profile, ONEDOOR_PROFILE: of this URL; a name that cannot be one is refused", async () => {
    await bench.save("https://gw.example.com");
    await bench.save("https://gw.example.com", { name: "work" });
    const url = "https://gw.example.com";
    expect((await choose({ url })).profile?.name).toBe("default");
    expect((await choose({ url, profile: "work" })).profile?.name).toBe("work");
    bench.variables = { ONEDOOR_PROFILE: "work" };
    expect((await choose({ url })).profile?.name).toBe("work");
    expect((await choose()).profile?.name).toBe("work");
    await expect(choose({ profile: "a b" })).rejects.toMatchObject({ code: "usage" });
    await expect(choose({ profile: "../x" })).rejects.toMatchObject({ code: "usage" });
  });
});

describe("which bearer", () => {
  const url = "https://gw.example.com";

  test("--token, then ONEDOOR_TOKEN, then the profile, then none", async () => {
    expect(await bearer({ url })).toEqual({ source: "none" });
    await bench.save(url);
    expect(await bearer({ url })).toMatchObject({ token: "od_saved", source: "profile" });
    bench.variables = { ONEDOOR_TOKEN: " of-the-environment\n" };
    expect(await bearer({ url })).toEqual({ token: "of-the-environment", source: "environment" });
    expect(await bearer({ url, token: " given " })).toEqual({ token: "given", source: "option" });
  });

  test("ONEDOOR_TOKEN is for ONEDOOR_URL alone, where that is set", async () => {
    bench.variables = { ONEDOOR_TOKEN: "secret", ONEDOOR_URL: "https://gw.example.com/team/mcp" };
    expect(await bearer()).toMatchObject({ source: "environment" });
    expect(await bearer({ url: "https://GW.example.com/team/" })).toMatchObject({
      source: "environment",
    });
    for (const other of [url, "https://gw.example.com/team/sub", "https://other.example.com"]) {
      expect(await bearer({ url: other })).toEqual({ source: "none" });
    }
    bench.variables = { ONEDOOR_TOKEN: "secret", ONEDOOR_URL: "nonsense" };
    expect(await bearer({ url })).toEqual({ source: "none" });
  });

  test.each(["to ken", "to\u0007ken", "Bearer token", "tok\u00e9n", ""])(
    "the malformed token %j is refused and not repeated",
    async (token) => {
      const failure = bearer({ url, token });
      await expect(failure).rejects.toMatchObject({ code: "usage" });
      await expect(failure).rejects.not.toMatchObject({
        message: expect.stringContaining(token || "\u0000"),
      });
    },
  );

  test("a profile's secret that is gone is not the same as no profile", async () => {
    const profile = await bench.save(url);
    const profiles = bench.dependencies.openProfiles(bench.context);
    const { store } = await profiles.storeFor(profile, "file");
    await store.delete(profileId(profile));
    await expect(bearer({ url })).rejects.toMatchObject({
      code: "auth_required",
      hint: `agent auth login --url ${url}`,
    });
  });

  test("a profile that was asked for and does not exist is an error that knows where it does", async () => {
    await bench.save("https://other.example.com", { name: "work" });
    await expect(bearer({ url, profile: "work" })).rejects.toMatchObject({
      code: "auth_required",
      hint: expect.stringContaining("https://other.example.com"),
    });
    await expect(bearer({ url, profile: "typo" })).rejects.toMatchObject({
      code: "auth_required",
      hint: `agent auth login --url ${url} --profile typo`,
    });
  });
});

describe("a local token", () => {
  const local = { source: "local", instanceId: runtimeRecord.instanceId } as const;
  const tomorrow = Date.parse("2026-11-22T10:00:00Z");

  test("goes to the instance that minted it", async () => {
    bench.runGateway();
    await bench.save(runtimeRecord.url, { ...local, expiresAtMs: tomorrow });
    expect(await bearer()).toMatchObject({ token: "od_saved", source: "profile" });
    expect(await bearer({ url: "http://localhost:3050" })).toMatchObject({ token: "od_saved" });
    expect((await choose({ url: "http://localhost:3050" })).endpoint).toBe(runtimeRecord.url);
  });

  test.each([
    ["no gateway runs", () => undefined],
    ["its gateway runs somewhere else", () => bench.runGateway({ url: "http://127.0.0.1:4051" })],
    [
      "its gateway's runtime file cannot be trusted",
      () => {
        bench.runtime = { kind: "untrusted", reason: "belongs to another user" };
      },
    ],
  ])("goes nowhere when %s", async (_, arrange) => {
    await bench.save(runtimeRecord.url, { ...local, expiresAtMs: tomorrow });
    arrange();
    await expect(bearer({ url: runtimeRecord.url })).rejects.toMatchObject({
      code: "unreachable",
      message: "Your gateway at http://127.0.0.1:3050 is not running",
      hint: "agent serve --background",
    });
    expect(bench.minted).toBe(0);
    // Who brings a token of his own means whoever answers there.
    const own = await bearer({ url: runtimeRecord.url, token: "od_mine" });
    expect(own).toMatchObject({ token: "od_mine" });
    bench.variables = { ONEDOOR_TOKEN: "od_env" };
    expect(await bearer({ url: runtimeRecord.url })).toMatchObject({ token: "od_env" });
  });

  test("without its gateway is no server to use: the failure is the only line", async () => {
    await bench.save(runtimeRecord.url, { ...local, expiresAtMs: tomorrow });
    bench.notes.length = 0;
    await expect(bearer()).rejects.toMatchObject({ code: "unreachable" });
    expect(bench.notes).toEqual([]);
    await choose({ sayServer: true });
    expect(bench.notes).toHaveLength(1);
  });

  test("stays home when another instance of one's own runs there, which is asked without", async () => {
    await bench.save(runtimeRecord.url, { ...local, expiresAtMs: tomorrow });
    bench.runGateway({ instanceId: "another" });
    const answer = await bearer({ url: runtimeRecord.url });
    expect(answer).toMatchObject({ source: "none" });
    expect(answer.token).toBeUndefined();
    expect(bench.notes.join()).toContain("goes only to the gateway that minted it");
  });

  test("that has expired is minted again, without a word, and saved", async () => {
    bench.runGateway();
    await bench.save(runtimeRecord.url, { ...local, expiresAtMs: bench.nowMs - 1, tokenId: "old" });
    bench.notes.length = 0;
    expect(await bearer()).toMatchObject({ token: "od_minted_1", source: "profile" });
    expect(await bearer()).toMatchObject({ token: "od_minted_1" });
    expect(bench.minted).toBe(1);
    const [profile] = await bench.saved();
    expect(profile).toMatchObject({ tokenId: "id-1", expiresAtMs: bench.nowMs + 86_400_000 });
    expect(await bench.secretOf(profile)).toBe("od_minted_1");
    expect(bench.notes.filter((line) => !line.startsWith("Using "))).toEqual([]);
  });

  test("is never minted for the first time on the way", async () => {
    bench.runGateway();
    expect(await bearer()).toEqual({ source: "none" });
    expect(bench.minted).toBe(0);
  });
});

test("every bearer that a command comes to know is masked from then on", async () => {
  const url = "https://gw.example.com";
  await bench.save(url, {}, "saved-secret");
  await bearer({ url, token: "option-secret" });
  bench.variables = { ONEDOOR_TOKEN: "environment-secret" };
  await bearer({ url });
  bench.runGateway();
  bench.variables = {};
  const expired = {
    source: "local",
    instanceId: runtimeRecord.instanceId,
    expiresAtMs: 1,
  } as const;
  await bench.save(runtimeRecord.url, expired, "expired-secret");
  await bearer({ url: runtimeRecord.url });
  const all = "saved-secret option-secret environment-secret od_minted_1";
  expect(bench.secrets.mask(all)).toBe("**** **** **** ****");
});

test("a secret is known from the moment it is read", async () => {
  const url = "https://gw.example.com";
  await bench.save(url, {}, "saved-secret");
  const fresh = new Bench();
  try {
    const [profile] = await bench.saved();
    const context = { ...bench.context, secrets: fresh.secrets };
    expect(
      profile && (await bench.dependencies.openProfiles(context).credentialOf(profile)),
    ).toEqual({ token: "saved-secret" });
    expect(fresh.secrets.mask("saved-secret")).toBe("****");
  } finally {
    fresh.remove();
  }
});
