import { readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { renewRefused } from "../../../src/cli/profile-bearer.ts";
import type { Bearer } from "../../../src/cli/bearer.ts";
import { bearerFor, chooseServer } from "../../../src/cli/server-choice.ts";
import type { Context } from "../../../src/cli/context.ts";
import { abortReason } from "../../../src/client/http-json.ts";
import { AppError } from "../../../src/core/errors.ts";
import { profileId } from "../../../src/profiles/profile-id.ts";
import type { Profile, ProfileDraft } from "../../../src/profiles/profile.ts";
import { Bench, runtimeRecord } from "./bench.ts";
import { oauthGrant } from "./support/oauth-grant.ts";

const url = "https://mcp.example.com";
const minute = 60_000;

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => {
  bench.remove();
});

const save = (leftMs: number, more: Partial<ProfileDraft> = {}): Promise<Profile> =>
  bench.save(
    url,
    { source: "web", server: "mcp", expiresAtMs: bench.nowMs + leftMs, ...more },
    { token: "access_0", oauth: oauthGrant },
  );
const bearer = async (context: Context = bench.context, of = url): Promise<Bearer> =>
  bearerFor(
    await chooseServer({ url: of }, context, bench.dependencies),
    { url: of },
    context,
    bench.dependencies,
  );
const refreshes = (): string[] =>
  bench.seen.flatMap(({ what, token }) => (what === "refresh" ? [token ?? ""] : []));

describe("a token that renews itself", () => {
  test("is shown as it is with a minute left, and renewed with less", async () => {
    await save(minute);
    expect(await bearer()).toMatchObject({ token: "access_0" });
    bench.nowMs += 1;
    expect(await bearer()).toMatchObject({ token: "renewed_1", source: "profile" });
    expect(refreshes()).toEqual(["refresh_0"]);
    const [saved] = await bench.saved();
    expect(saved).toMatchObject({
      renews: true,
      expiresAtMs: bench.nowMs + bench.renewedForMs,
      renewedAtMs: bench.nowMs,
    });
    expect(bench.notes).toEqual([]);
  });

  test("goes on with the refresh token that came last", async () => {
    await save(0);
    await bearer();
    bench.nowMs += bench.renewedForMs;
    await bearer();
    expect(refreshes()).toEqual(["refresh_0", "refresh_1"]);
  });

  test("is renewed once by many who want it at once", async () => {
    await save(0);
    const all = await Promise.all(Array.from({ length: 20 }, () => bearer()));
    expect(new Set(all.map(({ token }) => token))).toEqual(new Set(["renewed_1"]));
    expect(refreshes()).toHaveLength(1);
  });

  test("of short life is renewed once for commands that follow each other closely", async () => {
    bench.renewedForMs = 30_000;
    await save(0);
    await bearer();
    bench.nowMs += 9_000;
    expect(await bearer()).toMatchObject({ token: "renewed_1" });
    bench.nowMs += 1_000;
    expect(await bearer()).toMatchObject({ token: "renewed_2" });
  });

  test("that cannot be renewed and is still good is shown, with a word about it", async () => {
    await save(minute - 1);
    bench.refusal = new AppError("auth_rejected", "The refresh token is used up");
    expect(await bearer()).toMatchObject({ token: "access_0" });
    expect(bench.notes).toEqual([
      `The token of ${url} could not be renewed: The refresh token is used up; it is good until 2026-11-21 10:00 UTC; after that: agent auth login --url ${url}`,
    ]);
    expect(await bench.secretOf((await bench.saved())[0])).toBe("access_0");
  });

  test.each([
    ["auth_rejected", `agent auth login --url ${url}`],
    ["unreachable", "Is it running?"],
  ] as const)("that has expired and cannot be renewed: %s", async (code, hint) => {
    await save(0);
    bench.refusal = new AppError(code, "No", { hint: "Is it running?" });
    await expect(bearer()).rejects.toMatchObject({
      code,
      message: `The token of ${url} could not be renewed: No`,
      hint,
    });
    expect(await bench.secretOf((await bench.saved())[0])).toBe("access_0");
  });

  test("is renewed by the refresh token of a session at its own server", async () => {
    await bench.save(
      url,
      { source: "password", expiresAtMs: bench.nowMs },
      { token: "session_0", session: { refreshToken: "refresh_0" } },
    );
    expect(await bearer()).toMatchObject({ token: "renewed_1" });
    expect(bench.seen).toContainEqual({ what: "refresh", endpoint: `${url}/`, token: "refresh_0" });
  });

  test("that the ring says renews itself, and whose store knows nothing of that", async () => {
    await save(0);
    const secrets = join(bench.folder, "config", "secrets");
    for (const name of readdirSync(secrets)) writeFileSync(join(secrets, name), "od_planted");
    await expect(bearer()).rejects.toMatchObject({
      code: "auth_required",
      hint: `agent auth login --url ${url}`,
    });
  });
});

/** An authorization server that never answers, and the time that passes meanwhile. */
const beMute = (passesMs: number): void => {
  bench.dependencies.keeping.renewGrant = (_grant, _context, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(abortReason(signal)));
      vi.advanceTimersByTime(passesMs);
    });
};
/** Held by a process that lives. */
const holdLock = (profile: Profile): void => {
  const folder = join(bench.folder, "config", "profiles");
  symlinkSync(`${process.ppid} of-another`, join(folder, `${profileId(profile)}.lock`));
};

describe("a token that is about to expire, and nobody who renews it in time", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("is shown while it is good, with a word about it", async () => {
    await save(minute - 1);
    beMute(10_000);
    expect(await bearer()).toMatchObject({ token: "access_0" });
    expect(bench.notes).toEqual([
      `The token of ${url} could not be renewed: No answer in time; it is good until 2026-11-21 10:00 UTC`,
    ]);
  });

  test("leaves a third of a short --timeout for the question itself", async () => {
    await save(minute - 1);
    bench.timeoutMs = 3_000;
    beMute(1_000);
    expect(await bearer()).toMatchObject({ token: "access_0" });
  });

  test("nor who lets go of its lock: it is shown all the same", async () => {
    holdLock(await save(minute - 1));
    const { context } = bench;
    const choice = await chooseServer({ url }, context, bench.dependencies);
    const waiting = bearerFor(choice, {}, context, bench.dependencies);
    vi.advanceTimersByTime(10_000);
    expect(await waiting).toMatchObject({ token: "access_0" });
    expect(bench.notes).toEqual([
      `The token of ${url} could not be renewed: another process has been at it for 10 s; it is good until 2026-11-21 10:00 UTC`,
    ]);
    expect(refreshes()).toEqual([]);
  });

  test("is waited for as long as the command may once it has expired", async () => {
    holdLock(await save(0));
    const { context } = bench;
    const choice = await chooseServer({ url }, context, bench.dependencies);
    const waiting = bearerFor(choice, {}, context, bench.dependencies);
    vi.advanceTimersByTime(29_999);
    expect(context.deadline.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    await expect(waiting).rejects.toMatchObject({
      code: "timeout",
      message: `The token of ${url} could not be renewed: No answer within 30 s`,
    });
  });
});

describe("a token that its server refused", () => {
  test("is renewed before its time, once for each command", async () => {
    await save(60 * minute);
    const { context, dependencies } = bench;
    const first = await bearer(context);
    const second = await renewRefused(first, context, dependencies);
    expect(second).toMatchObject({ token: "renewed_1" });
    expect(await renewRefused(second ?? first, context, dependencies)).toBeUndefined();
    expect(refreshes()).toHaveLength(1);
  });

  test("and was renewed by this command is refused for good", async () => {
    await save(0);
    const { context, dependencies } = bench;
    expect(await renewRefused(await bearer(context), context, dependencies)).toBeUndefined();
    expect(refreshes()).toHaveLength(1);
  });

  test("is replaced by the one that another command got meanwhile", async () => {
    await save(60 * minute);
    const { context, dependencies } = bench;
    const first = await bearer(context);
    const theirs = bench.context;
    await renewRefused(await bearer(theirs), theirs, dependencies);
    expect(await renewRefused(first, context, dependencies)).toMatchObject({ token: "renewed_1" });
    expect(refreshes()).toHaveLength(1);
  });

  test("is not asked about again by a command that could not renew it", async () => {
    await save(0);
    const { context } = bench;
    bench.refusal = new AppError("unreachable", "No");
    await expect(bearer(context)).rejects.toMatchObject({ code: "unreachable" });
    await expect(bearer(context)).rejects.toMatchObject({ code: "unreachable" });
    expect(refreshes()).toHaveLength(1);
  });

  test("is renewed again when the other one is about to end, as long as a command runs", async () => {
    bench.renewedForMs = 30_000;
    await save(60 * minute);
    const { context, dependencies } = bench;
    let shown = await bearer(context);
    for (const token of ["renewed_1", "renewed_2", "renewed_3"]) {
      const other = await renewRefused(shown, context, dependencies);
      expect(other).toMatchObject({ token });
      shown = other ?? shown;
      expect(await renewRefused(shown, context, dependencies)).toBeUndefined();
      bench.nowMs += bench.renewedForMs;
    }
    expect(refreshes()).toEqual(["refresh_0", "refresh_1", "refresh_2"]);
  });

  test("and is local is minted again by the gateway that minted it", async () => {
    bench.runGateway();
    await bench.save(
      runtimeRecord.url,
      {
        source: "local",
        instanceId: runtimeRecord.instanceId,
        expiresAtMs: bench.nowMs + 60 * minute,
      },
      "od_local",
    );
    const { context, dependencies } = bench;
    const first = await bearer(context, runtimeRecord.url);
    expect(first).toMatchObject({ token: "od_local" });
    expect(await renewRefused(first, context, dependencies)).toMatchObject({
      token: "od_minted_1",
    });
  });

  test("has no other when it came from elsewhere, or does not renew itself", async () => {
    await bench.save(url);
    const { context, dependencies } = bench;
    expect(await renewRefused(await bearer(context), context, dependencies)).toBeUndefined();
    bench.variables = { ONEDOOR_TOKEN: "od_environment" };
    const elsewhere = await bearer();
    expect(await renewRefused(elsewhere, bench.context, dependencies)).toBeUndefined();
  });
});

describe("a token that does not renew itself", () => {
  const day = 24 * 60 * minute;
  test.each([
    ["a month, with more than a day left", 30 * day, day + minute, false],
    ["a month, on its last day", 30 * day, day - minute, true],
    ["an hour, in its first half", 60 * minute, 31 * minute, false],
    ["an hour, in its second half", 60 * minute, 29 * minute, true],
    ["an hour, past it", 60 * minute, -minute, false],
  ])("and was good for %s", async (_what, lifeMs, leftMs, isWarned) => {
    await bench.save(url, { expiresAtMs: bench.nowMs + lifeMs });
    bench.nowMs += lifeMs - leftMs;
    await bearer();
    expect(bench.notes.map((note) => note.includes("does not renew itself"))).toEqual(
      isWarned ? [true] : [],
    );
  });

  test("no warning of one that does", async () => {
    await save(2 * minute);
    await bearer();
    expect(bench.notes).toEqual([]);
  });
});
