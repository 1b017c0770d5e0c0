import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRefresh } from "../../../src/cli/commands/auth/refresh.ts";
import { createStatus } from "../../../src/cli/commands/auth/status.ts";
import { createSwitch } from "../../../src/cli/commands/auth/switch.ts";
import { createToken } from "../../../src/cli/commands/auth/token.ts";
import { createWhoami } from "../../../src/cli/commands/auth/whoami.ts";
import { Bench } from "./bench.ts";

const url = "https://gw.example.com";
const long = "od_0123456789abcdefghij";
let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.remove());

function status(flags: { url: string; json?: boolean }) {
  const format = flags.json === true ? "json" : "text";
  return bench.run(createStatus(bench.dependencies), { all: false, format, ...flags });
}

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

  test("says of a server that tells nothing what is known, and leaves out the rest", async () => {
    bench.doors[url] = { tokens: { [long]: "" } };
    bench.dependencies.probeAuthentication = () =>
      Promise.resolve({ kind: "accepted", server: "mcp" });
    const whoami = createWhoami(bench.dependencies);
    await bench.save(url, {}, long);
    await bench.run(whoami, { url });
    expect(bench.stdout.replaceAll(/ {2,}/gu, "  ")).toBe(
      `server  ${url}\nuser  not said by the server\ntoken  accepted\n`,
    );
    bench.stdout = "";
    const expiresAtMs = bench.nowMs + 3_600_000;
    await bench.save(url, { expiresAtMs, scope: "a b" }, long);
    await bench.run(whoami, { url });
    expect(bench.stdout.replaceAll(/ {2,}/gu, "  ").split("\n").slice(1)).toEqual([
      "user  not said by the server",
      "scopes  a b",
      "expires  2026-11-21 11:00 UTC",
      "token  accepted; scopes and expiry are those that were stored",
      "",
    ]);
  });

  test("one state has one wording: of whoami, token, refresh", async () => {
    bench.doors[url] = {};
    const elsewhere = "https://elsewhere.example.com";
    bench.variables = { ONEDOOR_TOKEN: long, ONEDOOR_URL: elsewhere };
    const { dependencies } = bench;
    const asked = [
      () => bench.run(createWhoami(dependencies), { url }),
      () => bench.run(createToken(dependencies), { url, header: false }),
      () => bench.run(createRefresh(dependencies), { url }),
    ];
    for (const ask of asked) {
      await expect(ask()).rejects.toMatchObject({
        code: "auth_required",
        message: `Not signed in to ${url}`,
        hint: `agent auth login --url ${url}`,
      });
      expect(bench.notes.splice(0)).toEqual([
        `ONEDOOR_TOKEN is for ${elsewhere} (ONEDOOR_URL) and is not sent to ${url}`,
      ]);
    }
    bench.variables = { ONEDOOR_TOKEN: "" };
    for (const ask of asked) {
      await expect(ask()).rejects.toMatchObject({
        hint: "ONEDOOR_TOKEN is empty: was the secret handed to this job?",
      });
    }
    expect(bench.notes).toEqual([]);
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

  test("where nothing is saved: how to sign in", async () => {
    await expect(use({ target: "x" })).rejects.toMatchObject({
      code: "auth_required",
      hint: expect.stringMatching(/^agent auth login --url <url>/u),
    });
  });
});
