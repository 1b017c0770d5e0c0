import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLogout } from "../../../src/cli/commands/auth/logout.ts";
import { createStatus } from "../../../src/cli/commands/auth/status.ts";
import { createWhoami } from "../../../src/cli/commands/auth/whoami.ts";
import { AppError } from "../../../src/core/errors.ts";
import { statusOn } from "./support/status-on.ts";
import type { StatusFlags } from "./support/status-on.ts";
import { Bench, runtimeRecord } from "./bench.ts";

const url = "https://gw.example.com";
const long = "od_0123456789abcdefghij";
let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.remove());

/** What the command failed with beside its answer. */
let failure: AppError | undefined;

async function status(flags: StatusFlags = {}): Promise<number | void> {
  const shown = await statusOn(bench, flags);
  failure = shown.failure;
  return shown.code;
}

const shownRows = (): unknown => JSON.parse(bench.stdout);

describe("status", () => {
  test("one good profile: everything it should say, and no token", async () => {
    bench.doors[url] = { tokens: { [long]: "alice" } };
    await bench.save(url, { role: "admin" }, long);
    bench.nowMs += 3 * 3_600_000;
    expect(await status({ url })).toBe(0);
    expect(bench.stdout.split("\n")).toEqual([
      `url      ${url}`,
      "name     default",
      "who      alice (admin)",
      "token    …ghij",
      "store    file",
      "source   profile",
      "saved    3 h ago",
      "expires  -",
      "renews   no",
      "result   ok",
      "",
    ]);
  });

  test.each([
    [
      "--cacert <file> (or NODE_EXTRA_CA_CERTS=<file>) adds a certificate authority",
      "unreachable",
      3,
    ],
    ["The fault is on the server's side; try again later", "timeout", 3],
  ] as const)("what keeps it from being asked, with what helps: %s", async (hint, code, exit) => {
    bench.doors[url] = { failure: new AppError(code, "It is not so", { hint }) };
    await bench.save(url, {}, long);
    expect(await status({ url })).toBe(exit);
    expect(bench.notes).toEqual([`${url}: It is not so`, `hint: ${hint}`]);
    expect(await status({ url, json: true })).toBe(exit);
    expect(failure?.hint).toBe(hint);
  });

  test("nor is a sign-in the answer where nothing is saved and the server cannot be asked", async () => {
    const hint = "Begin the address with https://";
    bench.doors[url] = { failure: new AppError("usage", "Only https is spoken here", { hint }) };
    expect(await status({ url })).toBe(4);
    expect(bench.notes).toEqual([`${url}: Only https is spoken here`, `hint: ${hint}`]);
    expect(await status({ url, json: true })).toBe(4);
    expect(failure?.hint).toBe(hint);
  });

  test("the role that is left of a token with scopes, beside those", async () => {
    const scopes = ["server:my db", "role:viewer"];
    bench.doors[url] = { tokens: { [long]: "bob" }, role: "viewer", scopes };
    await bench.save(url, { role: "admin" }, long);
    await status({ url });
    expect(bench.stdout).toContain("who      bob (viewer for 'server:my db' only)\n");
  });

  test("several are a table, and lists again on a terminal too narrow for it", async () => {
    bench.doors[url] = { tokens: { [long]: "alice" } };
    await bench.save(url, { expiresAtMs: Date.parse("2026-11-22T09:46:01Z") }, long);
    await bench.save("https://b.example.com", {}, long);
    await status({ all: true });
    const [head, ...rows] = bench.stdout.trimEnd().split("\n");
    expect(head?.split(/ {2,}/u).slice(0, 3)).toEqual(["URL", "NAME", "WHO"]);
    expect(rows).toHaveLength(2);
    bench.stdout = "";
    bench.columns = 60;
    await status({ all: true });
    const lines = bench.stdout.split("\n");
    expect(lines).toContain("expires  2026-11-22 09:46 UTC");
    expect(lines.filter((line) => line.startsWith("url "))).toHaveLength(2);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  test("a short token shows nothing of itself", async () => {
    bench.doors[url] = { tokens: { shorty: "alice" } };
    await bench.save(url, {}, "shorty");
    await status({ url });
    expect(bench.stdout).not.toMatch(/orty/u);
  });

  test.each([
    ["good", { tokens: { [long]: "alice" } }, {}, "ok", 0],
    ["needing none", { open: true }, {}, "needs no sign-in", 0],
    ["rejected", { words: "Unknown token" }, {}, "rejected", 4],
    ["expired", {}, { expiresAtMs: 1 }, "expired", 4],
    ["unreachable", { down: true }, {}, "unreachable", 3],
    ["past its date, and still good", { tokens: { [long]: "a" } }, { expiresAtMs: 1 }, "ok", 0],
  ])("%s", async (_, door, profile, result, code) => {
    bench.doors[url] = door;
    await bench.save(url, profile, long);
    expect(await status({ url, json: true })).toBe(code);
    expect(JSON.parse(bench.stdout)).toMatchObject([{ url, result }]);
    // Beside the array a failure has its one line.
    const lines: Record<string, string> = {
      rejected: `Token rejected by ${url}: Unknown token`,
      expired: `The token of ${url} has expired`,
      unreachable: `Cannot reach ${url}/`,
    };
    expect(failure?.message).toBe(lines[result]);
    expect(bench.notes).toEqual([]);
  });

  test("the running gateway's profile alone; with --all every one, one dead hides none", async () => {
    bench.runGateway();
    bench.doors[url] = { tokens: { [long]: "alice" } };
    bench.doors["https://down.example.com"] = { down: true };
    await bench.save(url, {}, long);
    await bench.save("https://down.example.com");
    expect(await status({ json: true })).toBe(4);
    expect(JSON.parse(bench.stdout)).toMatchObject([{ url: runtimeRecord.url, result: "missing" }]);
    bench.stdout = "";
    expect(await status({ json: true, all: true })).toBe(3);
    expect(JSON.parse(bench.stdout)).toMatchObject([{ result: "ok" }, { result: "unreachable" }]);
  });

  test("no gateway: every saved profile", async () => {
    bench.doors[url] = { tokens: { [long]: "alice" } };
    bench.doors["https://b.example.com"] = {};
    await bench.save(url, {}, long);
    await bench.save("https://b.example.com");
    expect(await status({ json: true })).toBe(4);
    expect(JSON.parse(bench.stdout)).toHaveLength(2);
  });

  test("none saved: an empty list, and exit 4", async () => {
    expect(await status({ json: true })).toBe(4);
    expect(failure?.code).toBe("auth_required");
    expect(JSON.parse(bench.stdout)).toEqual([]);
  });

  test("ONEDOOR_TOKEN wins, and that is said", async () => {
    bench.doors[url] = { tokens: { [long]: "env" } };
    await bench.save(url, {}, "od_of_the_profile");
    bench.variables = { ONEDOOR_TOKEN: long };
    expect(await status({ url, json: true })).toBe(0);
    expect(JSON.parse(bench.stdout)).toMatchObject([{ source: "environment", who: "env" }]);
    expect(bench.notes).toContain("ONEDOOR_TOKEN is set and wins over the saved profile");
  });

  test("--token is tested as what it is", async () => {
    bench.doors[url] = { tokens: { [long]: "flag" } };
    expect(await status({ url, token: long, json: true })).toBe(0);
    expect(JSON.parse(bench.stdout)).toMatchObject([{ source: "flag", store: null }]);
  });

  test("a local token of a gateway that does not run is shown to nobody", async () => {
    bench.doors[runtimeRecord.url] = { tokens: { [long]: "squatter" } };
    await bench.save(runtimeRecord.url, { source: "local", instanceId: "instance-one" }, long);
    expect(await status({ json: true })).toBe(3);
    expect(JSON.parse(bench.stdout)).toMatchObject([{ result: "unreachable" }]);
    expect(bench.seen).toEqual([]);
  });

  describe("a token from elsewhere is what is tested", () => {
    beforeEach(async () => {
      bench.doors[url] = { tokens: { [long]: "alice" } };
      await bench.save(url, {}, long);
    });

    test("--token, at the default profile's server", async () => {
      expect(await status({ token: "od_wrong", json: true })).toBe(4);
      expect(shownRows()).toMatchObject([{ url, source: "flag", result: "rejected", store: null }]);
      expect(failure?.hint).toBe("Check the token given with --token");
    });

    test("ONEDOOR_TOKEN, likewise", async () => {
      bench.variables = { ONEDOOR_TOKEN: "od_wrong" };
      expect(await status({ json: true })).toBe(4);
      expect(shownRows()).toMatchObject([{ url, source: "environment", result: "rejected" }]);
    });

    test("--all: ONEDOOR_TOKEN at every server that it is for", async () => {
      const other = "https://b.example.com";
      bench.doors[other] = { tokens: { [long]: "bob" } };
      await bench.save(other, {}, long);
      bench.variables = { ONEDOOR_TOKEN: "od_wrong", ONEDOOR_URL: other };
      expect(await status({ all: true, json: true })).toBe(4);
      expect(shownRows()).toMatchObject([
        { url, source: "profile", result: "ok" },
        { url: other, source: "environment", result: "rejected" },
      ]);
      bench.stdout = "";
      bench.variables = { ONEDOOR_TOKEN: "od_wrong" };
      await status({ all: true, json: true });
      expect(shownRows()).toMatchObject([{ source: "environment" }, { source: "environment" }]);
      expect(bench.notes).toEqual(["ONEDOOR_TOKEN is set and wins over the saved profile"]);
    });

    test("--all goes with no --token", async () => {
      expect(await status({ all: true, token: long })).toBe(2);
      expect(bench.seen).toEqual([]);
    });
  });

  describe("too many requests", () => {
    beforeEach(async () => {
      const seconds = { retryAfterSeconds: 7 };
      bench.doors[url] = { failure: new AppError("rate_limited", "Too many requests", seconds) };
      await bench.save(url, {}, long);
    });

    test("alone: exit 6, and when to come again", async () => {
      expect(await status({ url })).toBe(6);
      expect(await status({ url, json: true })).toBe(6);
      expect(failure).toMatchObject({ code: "rate_limited", retryAfterSeconds: 7 });
    });

    test.each([
      ["good", { tokens: { od_saved: "bob" } }, 6],
      ["rejected", {}, 4],
      ["unreachable", { down: true }, 3],
      ["failed", { failure: new AppError("internal", "No") }, 1],
    ])("beside one that is %s", async (_, door, code) => {
      bench.doors["https://b.example.com"] = door;
      await bench.save("https://b.example.com");
      expect(await status({ all: true })).toBe(code);
    });
  });

  test("a reason names its server, and once", async () => {
    const reason = `Cannot reach ${url}: connection refused`;
    bench.doors[`${url}/mcp`] = { failure: new AppError("unreachable", reason) };
    await bench.save(`${url}/mcp`, {}, long);
    await status({ url: `${url}/mcp` });
    expect(bench.notes).toEqual([reason]);
    await status({ url: `${url}/mcp`, json: true });
    expect(failure?.message).toBe(reason);
  });

  test("that nobody answered in time names who did not", async () => {
    await bench.save(url, {}, long);
    const dependencies = {
      ...bench.dependencies,
      probeAuthentication: (_endpoint: string, _token: unknown, signal: AbortSignal) =>
        new Promise<never>((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    };
    const options = { url, timeoutMs: 20 };
    await bench.run(createStatus(dependencies), { ...options, all: false, format: "json" });
    expect(JSON.parse(bench.stdout)).toMatchObject([
      { result: "unreachable", reason: `${url}: No answer within 0.02 s` },
    ]);
    await expect(bench.run(createWhoami(dependencies), options)).rejects.toMatchObject({
      code: "timeout",
      message: `${url}: No answer within 0.02 s`,
    });
  });
});

test("a local token does not follow its gateway to another port", async () => {
  await bench.save(runtimeRecord.url, { source: "local", instanceId: "instance-one" }, long);
  bench.runGateway({ url: "http://127.0.0.1:4051" });
  expect(await status({ all: true, json: true })).toBe(3);
  await bench.run(createLogout(bench.dependencies), { all: true });
  expect(bench.seen).toEqual([]);
});
