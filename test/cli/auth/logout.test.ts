import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLogout } from "../../../src/cli/commands/auth/logout.ts";
import type { Context } from "../../../src/cli/context.ts";
import { AppError } from "../../../src/core/errors.ts";
import type { Profile, ProfileDraft } from "../../../src/profiles/profile.ts";
import { Bench, runtimeRecord } from "./bench.ts";
import { oauthGrant } from "./support/oauth-grant.ts";

const url = "https://gw.example.com";
const long = "od_0123456789abcdefghij";
let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.remove());

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
    await logout({ profile: "nope" });
    expect(bench.stdout).toContain(
      `There is no profile "nope" for ${runtimeRecord.url}; nothing to remove`,
    );
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

const hour = 3_600_000;

const save = (more: Partial<ProfileDraft> = {}): Promise<Profile> =>
  bench.save(
    url,
    { source: "web", expiresAtMs: bench.nowMs + hour, ...more },
    { token: "access_0", oauth: oauthGrant },
  );

const saveSession = (): Promise<Profile> =>
  bench.save(
    url,
    { source: "password", expiresAtMs: bench.nowMs },
    { token: "session_0", session: { refreshToken: "refresh_0" } },
  );

describe("of what renews itself", () => {
  test("ends an OAuth grant at its authorization server", async () => {
    await save();
    await bench.run(createLogout(bench.dependencies), { url: url, all: false });
    expect(bench.seen).toEqual([
      { what: "revoke grant", endpoint: oauthGrant.revocationEndpoint, token: "access_0" },
    ]);
    expect(bench.stdout).toContain("its token is revoked");
    expect(await bench.saved()).toEqual([]);
  });

  test("removes the profile where it cannot, and says until when the token is good", async () => {
    bench.grantRevocation = "unreachable";
    await save();
    await bench.run(createLogout(bench.dependencies), { url: url, all: false });
    expect(bench.notes.join("\n")).toContain("stays valid until 2026-11-21 11:00 UTC");
    expect(await bench.saved()).toEqual([]);
  });

  test("says so where the refresh token alone could be revoked", async () => {
    bench.grantRevocation = "refresh token";
    await save();
    await bench.run(createLogout(bench.dependencies), { url: url, all: false });
    expect(bench.notes).toContain(
      `The refresh token of ${url} is revoked; its access token stays valid until 2026-11-21 11:00 UTC`,
    );
    expect(bench.stdout).not.toContain("its token is revoked");
  });

  test.each([
    ["refresh token", hour, "The refresh token of OWNER is revoked; its access token stays valid"],
    ["refresh token", 0, undefined],
    ["kept", hour, "It was not revoked: the token of OWNER stays valid until 2026-11-21 11:00 UTC"],
    ["kept", 0, "It was not revoked: the refresh token of OWNER stays valid until the server ends"],
    ["invalid", hour, undefined],
  ] as const)("says what is left: %s, with %d ms", async (revocation, leftMs, line) => {
    bench.grantRevocation = revocation;
    await save({ expiresAtMs: bench.nowMs + leftMs });
    await save({ name: "work", expiresAtMs: bench.nowMs + leftMs });
    await bench.run(createLogout(bench.dependencies), { all: true });
    const owners = line === undefined ? [] : [`${url} (profile work)`, url];
    expect(bench.notes.toSorted()).toEqual(
      owners.map((owner) => expect.stringContaining(line?.replace("OWNER", owner) ?? "")),
    );
  });

  describe("of a session that has expired", () => {
    test("renews it, so that the server can end it", async () => {
      bench.doors[url] = {};
      await saveSession();
      await bench.run(createLogout(bench.dependencies), { url: url, all: false });
      expect(bench.seen).toEqual([
        { what: "refresh", endpoint: `${url}/`, token: "refresh_0" },
        { what: "revoke", endpoint: `${url}/`, token: "renewed_1" },
      ]);
      expect(bench.stdout).toContain("its token is revoked");
    });

    test.each([
      ["auth_rejected", []],
      ["unreachable", [expect.stringContaining("the refresh token of")]],
    ] as const)("removes it where it cannot be renewed: %s", async (code, notes) => {
      bench.refusal = new AppError(code, "No");
      await saveSession();
      await bench.run(createLogout(bench.dependencies), { url: url, all: false });
      expect(bench.seen.map(({ what }) => what)).toEqual(["refresh"]);
      expect(bench.notes).toEqual(notes);
      expect(await bench.saved()).toEqual([]);
    });
  });

  test.each([false, true])(
    "that removes nothing says so by its failure alone, --all: %s",
    async (all) => {
      await save();
      const { dependencies } = bench;
      const locked = new AppError("store_unavailable", "Keychain is locked");
      const stuck = {
        ...dependencies,
        openProfiles: (context: Context) => ({
          ...dependencies.openProfiles(context),
          remove: () => Promise.reject(locked),
        }),
      };
      const options = all ? { all } : { all, url };
      await expect(bench.run(createLogout(stuck), options)).rejects.toBe(locked);
      expect(bench.stdout).toBe("");
    },
  );

  test("--all: what one server does not answer holds up no other", async () => {
    await save();
    await bench.save("https://other.example.com", {}, "od_other");
    bench.timeoutMs = 50;
    const { dependencies } = bench;
    const mute = {
      ...dependencies,
      keeping: {
        ...dependencies.keeping,
        end: (...of: Parameters<typeof dependencies.keeping.end>) =>
          of[0].oauth === undefined
            ? dependencies.keeping.end(...of)
            : new Promise<never>((_resolve, reject) => {
                of[3].addEventListener("abort", () => reject(of[3].reason));
              }),
      },
    };
    await bench.run(createLogout(mute), { all: true, timeoutMs: 50 });
    expect(await bench.saved()).toEqual([]);
    expect(bench.stdout).toContain("Removed 2 profiles");
    expect(bench.notes.join("\n")).toContain(`the token of ${url} stays valid`);
  });
});
