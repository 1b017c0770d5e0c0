import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLogout } from "../../../src/cli/commands/auth/logout.ts";
import { createStatus } from "../../../src/cli/commands/auth/status.ts";
import { createSwitch } from "../../../src/cli/commands/auth/switch.ts";
import { createToken } from "../../../src/cli/commands/auth/token.ts";
import { createWhoami } from "../../../src/cli/commands/auth/whoami.ts";
import { exitCodeOf } from "../../../src/cli/exit-code.ts";
import { AppError } from "../../../src/core/errors.ts";
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

/** Resolves with the exit code, as the frame makes it of a failure. */
async function status(
  flags: { url?: string; all?: boolean; token?: string; json?: boolean } = {},
): Promise<number | void> {
  const format = flags.json === true ? "json" : "text";
  failure = undefined;
  try {
    return await bench.run(createStatus(bench.dependencies), { all: false, format, ...flags });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    failure = error;
    return exitCodeOf(error.code);
  }
}

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
    ["rejected", {}, {}, "rejected", 4],
    ["expired", {}, { expiresAtMs: 1 }, "expired", 4],
    ["unreachable", { down: true }, {}, "unreachable", 3],
    ["past its date, and still good", { tokens: { [long]: "a" } }, { expiresAtMs: 1 }, "ok", 0],
  ])("%s", async (_, door, profile, result, code) => {
    bench.doors[url] = door;
    await bench.save(url, profile, long);
    expect(await status({ url, json: true })).toBe(code);
    expect(JSON.parse(bench.stdout)).toMatchObject([{ url, result }]);
    // Beside the array a failure has its one line.
    expect(failure?.message.startsWith(`${url}: ${result}`)).toBe(code === 0 ? undefined : true);
    expect(bench.notes).toEqual([]);
  });

  test("missing: a server that wants a sign-in and has no profile", async () => {
    bench.doors[url] = {};
    expect(await status({ url, json: true })).toBe(4);
    expect(JSON.parse(bench.stdout)).toMatchObject([{ url, result: "missing", maskedToken: null }]);
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
});

test("a local token does not follow its gateway to another port", async () => {
  await bench.save(runtimeRecord.url, { source: "local", instanceId: "instance-one" }, long);
  bench.runGateway({ url: "http://127.0.0.1:4051" });
  expect(await status({ all: true, json: true })).toBe(3);
  await logout({ all: true });
  expect(bench.seen).toEqual([]);
});

function logout(flags: { url?: string; all?: boolean; json?: boolean; profile?: string } = {}) {
  const format = flags.json === true ? "json" : "text";
  return bench.run(createLogout(bench.dependencies), { all: false, format, ...flags });
}

describe("logout", () => {
  test("revokes on the server, then removes", async () => {
    bench.doors[url] = {};
    await bench.save(url, {}, long);
    await logout({ url });
    expect(bench.seen).toEqual([{ what: "revoke", endpoint: `${url}/`, token: long }]);
    expect(bench.stdout).toBe(
      `Signed out of ${url}: profile default is removed; its token is revoked\n`,
    );
    expect(await bench.saved()).toEqual([]);
  });

  test("server down: removes, and says until when the token stays valid", async () => {
    bench.doors[url] = { down: true };
    await bench.save(url, { expiresAtMs: Date.parse("2026-11-22T08:00:00Z") });
    expect(await logout({ url })).toBeUndefined();
    expect(await bench.saved()).toEqual([]);
    expect(bench.notes.join("\n")).toContain("stays valid until 2026-11-22 08:00 UTC");
  });

  test("finds its target as login does; twice is the same as once", async () => {
    bench.runGateway();
    await bench.save(runtimeRecord.url, { source: "local", instanceId: "instance-one" });
    await bench.save(url);
    await logout();
    expect((await bench.saved()).map((profile) => profile.url)).toEqual([url]);
    await logout();
    expect(bench.stdout).toContain(`Not signed in to ${runtimeRecord.url}; nothing to remove`);
    bench.runtime = { kind: "absent" };
    await logout();
    expect(await bench.saved()).toEqual([]);
    await logout();
  });

  test("a local token is shown to nobody but its minter", async () => {
    bench.doors[runtimeRecord.url] = {};
    await bench.save(runtimeRecord.url, { source: "local", instanceId: "instance-one" });
    bench.runGateway({ instanceId: "another" });
    await logout();
    expect(bench.seen).toEqual([]);
    expect(await bench.saved()).toEqual([]);
  });

  test("--all takes everything, with and without servers, and is the same when there is none", async () => {
    bench.doors[url] = {};
    bench.doors["https://down.example.com"] = { down: true };
    await bench.save(url, {}, long);
    await bench.save("https://down.example.com");
    await bench.save(url, { name: "work" });
    await logout({ all: true });
    expect(bench.stdout).toMatch(/^Removed 3 profiles/u);
    expect(await bench.saved()).toEqual([]);
    bench.stdout = "";
    await logout({ all: true, json: true });
    expect(JSON.parse(bench.stdout)).toEqual({ removed: 0, orphans: 0, profiles: [] });
  });

  test("ONEDOOR_TOKEN goes on, and that is said", async () => {
    bench.variables = { ONEDOOR_TOKEN: "x".repeat(20) };
    await bench.save(url);
    bench.doors[url] = {};
    await logout({ url });
    expect(bench.notes.join("\n")).toContain("ONEDOOR_TOKEN is set");
  });

  test("--all goes with neither --url nor --profile", async () => {
    await expect(logout({ all: true, url })).rejects.toMatchObject({ code: "usage" });
    await expect(logout({ all: true, profile: "work" })).rejects.toMatchObject({ code: "usage" });
  });
});

describe("token", () => {
  test("bare, as a header, as JSON", async () => {
    await bench.save(url, {}, long);
    const command = createToken(bench.dependencies);
    await bench.run(command, { header: false });
    await bench.run(command, { header: true });
    await bench.run(command, { header: false, format: "json" });
    const [bare, header, ...json] = bench.stdout.split("\n");
    expect(bare).toBe(long);
    expect(header).toBe(`Authorization: Bearer ${long}`);
    expect(JSON.parse(json.join("\n"))).toEqual({ url, token: long });
  });

  test("none: exit 4", async () => {
    await expect(
      bench.run(createToken(bench.dependencies), { header: false, url }),
    ).rejects.toMatchObject({ code: "auth_required", hint: `agent auth login --url ${url}` });
  });
});

describe("whoami", () => {
  test("says what the server says", async () => {
    bench.doors[url] = { tokens: { [long]: "alice" } };
    await bench.save(url, {}, long);
    await bench.run(createWhoami(bench.dependencies), { format: "json" });
    expect(JSON.parse(bench.stdout)).toEqual({
      url,
      authenticated: true,
      user: { id: null, name: "alice" },
      organization: null,
      role: "admin",
      scopes: null,
      method: null,
      expiresAt: null,
      source: "server",
    });
    bench.stdout = "";
    await bench.run(createWhoami(bench.dependencies), {});
    expect(bench.stdout).toMatch(/user +alice\n/u);
  });

  test("and that somebody has no role, in which organisation; as does status", async () => {
    bench.doors[url] = { tokens: { [long]: "bob" }, organization: "acme", role: null };
    await bench.save(url, { role: "admin" }, long);
    const whoami = createWhoami(bench.dependencies);
    await bench.run(whoami, {});
    expect(bench.stdout).toMatch(/organisation +acme\n/u);
    expect(bench.stdout).toMatch(/role +none\n/u);
    bench.stdout = "";
    await bench.run(whoami, { format: "json" });
    expect(JSON.parse(bench.stdout)).toMatchObject({ organization: "acme", role: null });
    bench.stdout = "";
    await status({ url });
    expect(bench.stdout).toContain("who      bob (no role in acme)\n");
    bench.stdout = "";
    await bench.run(createStatus(bench.dependencies), { url, all: false, format: "json" });
    expect(JSON.parse(bench.stdout)).toMatchObject([{ organization: "acme", role: null }]);
  });

  test("what a token with scopes may, and no role beside them; as does status", async () => {
    bench.doors[url] = { tokens: { [long]: "bob" }, scopes: ["metrics"] };
    await bench.save(url, { role: "admin" }, long);
    const whoami = createWhoami(bench.dependencies);
    await bench.run(whoami, {});
    expect(bench.stdout).toMatch(/scopes +metrics\n/u);
    await status({ url });
    expect(bench.stdout).toContain("who      bob (metrics only)\n");
    expect(bench.stdout).not.toContain("admin");
    bench.stdout = "";
    await status({ url, json: true });
    expect(JSON.parse(bench.stdout)).toMatchObject([{ role: "admin", scopes: ["metrics"] }]);
  });

  test("not signed in, and rejected: the hint changes the token that was shown", async () => {
    bench.doors[url] = {};
    const whoami = createWhoami(bench.dependencies);
    const login = `agent auth login --url ${url}`;
    const asked = (options: { token?: string }): Promise<unknown> =>
      Promise.resolve(bench.run(whoami, { url, ...options })).catch((error: unknown) => error);
    expect(await asked({})).toMatchObject({ code: "auth_required", hint: login });
    await bench.save(url, {}, "od_wrong");
    expect(await asked({})).toMatchObject({ code: "auth_rejected", hint: login });
    expect(await asked({ token: "od_wrong" })).toMatchObject({
      code: "auth_rejected",
      hint: "Check the token given with --token",
    });
    bench.variables = { ONEDOOR_TOKEN: "od_wrong" };
    expect(await asked({})).toMatchObject({
      hint: expect.stringMatching(/^unset ONEDOOR_TOKEN/u),
    });
    await expect(bench.run(createStatus(bench.dependencies), { url, all: false })).resolves.toBe(4);
    expect(bench.notes.at(-1)).toMatch(/^hint: unset ONEDOOR_TOKEN/u);
  });
});

function use(flags: { target?: string; url?: string; profile?: string }) {
  return bench.run(createSwitch(bench.dependencies), flags);
}

async function defaultUrl() {
  return (await bench.dependencies.openProfiles(bench.context).findDefault())?.url;
}

describe("switch", () => {
  test("by URL, however it is written, and by name", async () => {
    await bench.save("https://a.example.com");
    bench.nowMs += 1;
    await bench.save(url, { name: "work" });
    expect(await defaultUrl()).toBe("https://a.example.com");
    await use({ target: "https://GW.example.com/mcp" });
    expect(await defaultUrl()).toBe(url);
    bench.nowMs += 1;
    await use({ target: "default" });
    expect(await defaultUrl()).toBe("https://a.example.com");
    bench.nowMs += 1;
    await use({ url, profile: "work" });
    expect(await defaultUrl()).toBe(url);
    expect(bench.stdout).toContain(`Profile work of ${url} is the default now`);
  });

  test("what is not one profile is refused, with what there is", async () => {
    await expect(use({ target: "x" })).rejects.toMatchObject({ code: "auth_required" });
    await bench.save("https://a.example.com");
    await bench.save(url);
    const hint = expect.stringContaining("agent auth switch default --url https://a.example.com");
    await expect(use({})).rejects.toMatchObject({ code: "usage", hint });
    await expect(use({ target: "default" })).rejects.toMatchObject({ code: "usage", hint });
    await expect(use({ target: "typo" })).rejects.toMatchObject({ code: "not_found", hint });
  });
});
