import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRefresh } from "../../../src/cli/commands/auth/refresh.ts";
import { createStatus } from "../../../src/cli/commands/auth/status.ts";
import { createSwitch } from "../../../src/cli/commands/auth/switch.ts";
import { createToken } from "../../../src/cli/commands/auth/token.ts";
import { createWhoami } from "../../../src/cli/commands/auth/whoami.ts";
import { AppError } from "../../../src/core/errors.ts";
import type { Profile, ProfileDraft } from "../../../src/profiles/profile.ts";
import { Bench, runtimeRecord } from "./bench.ts";
import { oauthGrant } from "./support/oauth-grant.ts";

const url = "https://mcp.example.com";
const hour = 3_600_000;

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => {
  bench.remove();
});

const save = (more: Partial<ProfileDraft> = {}, of = url): Promise<Profile> =>
  bench.save(
    of,
    { source: "web", expiresAtMs: bench.nowMs + hour, scope: "a b", ...more },
    { token: `access_0 ${more.name ?? ""}`.trim().replace(" ", "_"), oauth: oauthGrant },
  );
const refreshes = (): number => bench.seen.filter(({ what }) => what === "refresh").length;

const refresh = (options: { url?: string; format?: "json" } = {}): Promise<unknown> =>
  bench.run(createRefresh(bench.dependencies), { url, ...options });

const status = async (): Promise<Record<string, unknown>> => {
  bench.stdout = "";
  await bench.run(createStatus(bench.dependencies), { url, all: false, format: "json" });
  const rows: Record<string, unknown>[] = JSON.parse(bench.stdout);
  return rows[0] ?? {};
};

const whoami = async (): Promise<Record<string, unknown>> => {
  bench.stdout = "";
  await bench.run(createWhoami(bench.dependencies), { url, format: "json" });
  const shown: Record<string, unknown> = JSON.parse(bench.stdout);
  return shown;
};

const use = (target: string): Promise<unknown> =>
  bench.run(createSwitch(bench.dependencies), { target });

const chosen = async (of?: string): Promise<string> => {
  const profiles = bench.dependencies.openProfiles(bench.context);
  const [canonical] = (await profiles.list()).flatMap((profile) =>
    profile.url === of ? [profile.url] : [],
  );
  const found = await (canonical === undefined ? profiles.findDefault() : profiles.find(canonical));
  return `${found?.name} ${found?.url}`;
};

describe("refresh", () => {
  test("renews now, however long is left, and says until when", async () => {
    await save();
    bench.nowMs += 1000;
    await refresh();
    expect(bench.stdout).toBe(
      `Refreshed the token of ${url} (profile default); expires 2026-11-21 11:00 UTC, renewed by itself\n`,
    );
    bench.stdout = "";
    bench.nowMs += 1000;
    await refresh({ format: "json" });
    expect(JSON.parse(bench.stdout)).toEqual({
      url,
      name: "default",
      refreshed: true,
      expiresAt: "2026-11-21T11:00:02.000Z",
    });
    expect(bench.seen.map(({ token }) => token)).toEqual(["refresh_0", "refresh_1"]);
  });

  test("is one for all who ask at the same time", async () => {
    await save();
    // Each began before the first of them asked.
    const { now } = bench.context;
    let ticks = 0;
    const context = { ...bench.context, now: () => now() + ticks++ };
    const command = createRefresh(bench.dependencies);
    const options = { url, format: "text", json: false, quiet: false, debug: false } as const;
    await Promise.all(Array.from({ length: 5 }, () => command.run(options, context)));
    expect(refreshes()).toBe(1);
    expect(bench.stdout.match(/^Refreshed/gmu)).toHaveLength(1);
    expect(bench.stdout.match(/^Another process has just refreshed/gmu)).toHaveLength(4);
  });

  test("heeds no time that a wrong clock has written", async () => {
    await save();
    bench.nowMs += hour;
    await refresh();
    bench.nowMs -= hour;
    bench.stdout = "";
    await refresh();
    expect(bench.stdout).toMatch(/^Refreshed/u);
    expect(refreshes()).toBe(2);
  });

  test("mints a local token again", async () => {
    bench.runGateway();
    const { instanceId } = runtimeRecord;
    await bench.save(runtimeRecord.url, { source: "local", instanceId }, "od_local");
    await refresh({ url: runtimeRecord.url });
    expect(await bench.secretOf((await bench.saved())[0])).toBe("od_minted_1");
  });

  test("what was given cannot be refreshed, and what is not there neither", async () => {
    await expect(refresh()).rejects.toMatchObject({ code: "auth_required" });
    await bench.save(url);
    await expect(refresh()).rejects.toMatchObject({
      code: "usage",
      hint: `agent auth login --url ${url} < token.txt`,
    });
  });

  test("that is refused leaves the token as it is", async () => {
    await save();
    bench.refusal = new AppError("auth_rejected", "The session is over");
    await expect(refresh()).rejects.toMatchObject({
      code: "auth_rejected",
      message: `The token of ${url} could not be renewed: The session is over`,
      hint: `agent auth login --url ${url}`,
    });
    expect(await bench.secretOf((await bench.saved())[0])).toBe("access_0");
  });
});

describe("status", () => {
  test("renews a token that is refused before its time", async () => {
    bench.doors[url] = { tokens: { renewed_1: "alice" } };
    await save();
    expect(await status()).toMatchObject({ result: "ok", renews: true });
    expect(refreshes()).toBe(1);
  });

  test("asks for no third token where the second is refused as well", async () => {
    bench.doors[url] = {};
    await save();
    expect(await status()).toMatchObject({ result: "rejected" });
    expect(refreshes()).toBe(1);
  });

  test("warns of a token that ends within a day and does not renew itself", async () => {
    bench.doors[url] = { tokens: { od_saved: "alice" } };
    await bench.save(url, { expiresAtMs: bench.nowMs + 30 * 24 * hour });
    expect(await status()).toMatchObject({ renews: false, result: "ok" });
    expect(bench.notes).toEqual([]);
    bench.nowMs += 29.5 * 24 * hour;
    await status();
    expect(bench.notes).toEqual([expect.stringContaining("does not renew itself")]);
  });
});

describe("whoami", () => {
  test("renews a token that is refused before its time", async () => {
    bench.doors[url] = { tokens: { renewed_1: "alice" } };
    await save();
    expect(await whoami()).toMatchObject({ user: { name: "alice" }, source: "server" });
  });

  test("shows what is stored where the server cannot be asked, and fails all the same", async () => {
    bench.doors[url] = { down: true };
    await save({ who: "alice", role: "editor" });
    await expect(whoami()).rejects.toMatchObject({ code: "unreachable" });
    expect(JSON.parse(bench.stdout)).toEqual({
      url,
      authenticated: null,
      user: { id: null, name: "alice" },
      organization: null,
      role: "editor",
      scopes: ["a", "b"],
      method: null,
      expiresAt: "2026-11-21T11:00:00.000Z",
      source: "stored",
    });
  });

  test("shows nothing stored for a token from elsewhere", async () => {
    bench.doors[url] = { down: true };
    bench.variables = { ONEDOOR_TOKEN: "od_environment" };
    await save({ who: "alice" });
    await expect(whoami()).rejects.toMatchObject({ code: "unreachable" });
    expect(bench.stdout).toBe("");
  });
});

test("token prints one that is good", async () => {
  await save({ expiresAtMs: bench.nowMs });
  await bench.run(createToken(bench.dependencies), { url, header: false });
  expect(bench.stdout).toBe("renewed_1\n");
});

describe("switch", () => {
  test("is for one URL and over all, and each URL keeps its own", async () => {
    const other = "https://other.example.com";
    for (const of of [url, other]) {
      await save({}, of);
      bench.nowMs += 1;
      await save({ name: of === url ? "work" : "home" }, of);
      bench.nowMs += 1;
    }
    expect(await chosen()).toBe(`default ${url}`);
    await use("work");
    bench.nowMs += 1;
    expect([await chosen(), await chosen(url)]).toEqual([`work ${url}`, `work ${url}`]);
    await use("home");
    bench.nowMs += 1;
    expect([await chosen(), await chosen(url)]).toEqual([`home ${other}`, `work ${url}`]);
    // A URL alone means the profile that is used there.
    await use(url);
    expect([await chosen(), await chosen(other)]).toEqual([`work ${url}`, `home ${other}`]);
  });
});
