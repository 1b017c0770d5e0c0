import { describe, expect, test } from "vitest";
import { AuthServerUnavailable } from "../../../src/auth/outside/ask-auth-server.ts";
import { createConfirmations } from "../../../src/auth/outside/confirmations.ts";
import type { Confirmation } from "../../../src/auth/outside/confirmations.ts";

const good: Confirmation = { kind: "confirmed", claims: { sub: "ada" }, scopes: [] };
const bad: Confirmation = { kind: "rejected", reason: "no" };

function open(options: { cacheMs?: number } = {}) {
  const clock = { ms: 1_000_000 };
  const asked: { token: string; isUnproven: boolean }[] = [];
  const server = {
    answer: (_token: string): Confirmation | Promise<Confirmation> => good,
  };
  const confirmations = createConfirmations({
    cacheMs: options.cacheMs ?? 30_000,
    keep: (kept) => ({ kept, weight: JSON.stringify(kept.claims).length }),
    now: () => clock.ms,
    ask: async (token, { isUnproven }) => {
      asked.push({ token, isUnproven });
      return server.answer(token);
    },
  });
  const of = (token: string): Promise<Confirmation> => confirmations.of(token, `hash of ${token}`);
  return {
    clock,
    asked,
    server,
    of,
    end: (token: string) => confirmations.end(`hash of ${token}`),
    isEnded: (token: string) => confirmations.isEnded(`hash of ${token}`),
  };
}

describe("one question", () => {
  test("for a hundred requests with one token at the same time, and one for each token", async () => {
    const { asked, of } = open();
    const answers = await Promise.all(Array.from({ length: 100 }, () => of("a")));
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toEqual({ ...good, askedAtMs: 1_000_000 });
    expect(asked).toHaveLength(1);
    await Promise.all([of("a"), of("b"), of("c")]);
    expect(asked.map(({ token }) => token)).toEqual(["a", "b", "c"]);
  });

  test("that fails fails for all who wait, and the next one asks anew", async () => {
    const { asked, server, of } = open();
    server.answer = () => Promise.reject(new AuthServerUnavailable("down"));
    const answers = await Promise.allSettled([of("a"), of("a"), of("a")]);
    expect(answers.map(({ status }) => status)).toEqual(Array(3).fill("rejected"));
    expect(asked).toHaveLength(1);
    server.answer = () => good;
    await expect(of("a")).resolves.toMatchObject(good);
  });
});

describe("an answer is used again", () => {
  test("as long as configured, from the question on, and then asked for anew", async () => {
    const { clock, asked, server, of } = open();
    server.answer = () => {
      // The server takes its time.
      clock.ms += 10_000;
      return good;
    };
    await of("a");
    clock.ms += 19_999;
    await of("a");
    expect(asked).toHaveLength(1);
    clock.ms += 1;
    await of("a");
    expect(asked).toHaveLength(2);
  });

  test("never past the token's end", async () => {
    const { clock, asked, server, of } = open();
    const expiresAtMs = clock.ms + 5000;
    server.answer = () => ({ ...good, expiresAtMs });
    await of("a");
    clock.ms += 4999;
    await expect(of("a")).resolves.toMatchObject({ kind: "confirmed" });
    expect(asked).toHaveLength(1);
    clock.ms += 1;
    await expect(of("a")).resolves.toEqual({ kind: "rejected", reason: "The token has expired" });
  });

  test("not where the clock was set back behind the question", async () => {
    const { clock, asked, of } = open();
    await of("a");
    clock.ms -= 60_000;
    await of("a");
    expect(asked).toHaveLength(2);
  });

  test("never in place of one that does not come", async () => {
    const { clock, server, of } = open();
    await of("a");
    clock.ms += 30_000;
    server.answer = () => Promise.reject(new AuthServerUnavailable("down"));
    await expect(of("a")).rejects.toThrow("down");
  });

  test("a rejection for five seconds, and not at all where nothing is", async () => {
    const { clock, asked, server, of } = open();
    server.answer = () => bad;
    await of("a");
    clock.ms += 4999;
    await expect(of("a")).resolves.toBe(bad);
    expect(asked).toHaveLength(1);
    clock.ms += 1;
    server.answer = () => good;
    await expect(of("a")).resolves.toMatchObject(good);

    const uncached = open({ cacheMs: 0 });
    await uncached.of("a");
    await uncached.of("a");
    expect(uncached.asked).toHaveLength(2);
  });

  test("a rejection takes the place of what was known", async () => {
    const { clock, server, of } = open();
    await of("a");
    clock.ms += 30_000;
    server.answer = () => bad;
    await expect(of("a")).resolves.toBe(bad);
    clock.ms -= 25_000;
    await expect(of("a")).resolves.toBe(bad);
  });
});

describe("what is remembered is bounded", () => {
  test("and many bad tokens push out no good one", async () => {
    const { asked, server, of } = open();
    await of("good");
    server.answer = () => bad;
    for (let index = 0; index < 10_001; index += 1) await of(`bad ${index}`);
    const before = asked.length;
    await expect(of("good")).resolves.toMatchObject(good);
    await of("bad 10000");
    expect(asked).toHaveLength(before);
    await of("bad 0");
    expect(asked).toHaveLength(before + 1);
  });

  test("and of many good ones the oldest goes", async () => {
    const { asked, of } = open();
    for (let index = 0; index < 10_001; index += 1) await of(`good ${index}`);
    await of("good 1");
    expect(asked).toHaveLength(10_001);
    await of("good 0");
    expect(asked).toHaveLength(10_002);
  });

  test("by what the answers weigh, too", async () => {
    const { asked, server, of } = open();
    server.answer = () => ({ ...good, claims: { sub: "ada", more: "x".repeat(4 * 1024 * 1024) } });
    for (const token of ["a", "b", "c", "d"]) await of(token);
    await of("d");
    expect(asked).toHaveLength(4);
    await of("a");
    expect(asked).toHaveLength(5);
  });

  test("a token that was confirmed before is asked for as one that is known", async () => {
    const { clock, asked, of } = open();
    await of("a");
    clock.ms += 30_000;
    // What was known of the first is forgotten with this.
    await of("b");
    await of("a");
    expect(asked.map(({ isUnproven }) => isUnproven)).toEqual([true, true, false]);
  });

  test("and one that was rejected since is not", async () => {
    const { clock, asked, server, of } = open();
    await of("a");
    server.answer = () => bad;
    for (let times = 0; times < 2; times += 1) {
      clock.ms += 30_000;
      await of("a");
    }
    expect(asked.map(({ isUnproven }) => isUnproven)).toEqual([true, false, true]);
  });
});

describe("a token that was ended", () => {
  test("is good no more, also when a question about it is under way", async () => {
    const { clock, server, of, end, isEnded } = open();
    await of("a");
    expect(isEnded("a")).toBe(false);
    end("a");
    expect(isEnded("a")).toBe(true);
    await expect(of("a")).resolves.toMatchObject({ kind: "rejected" });
    expect(isEnded("a")).toBe(true);

    const questions: ((confirmation: Confirmation) => void)[] = [];
    server.answer = () => new Promise((resolve) => void questions.push(resolve));
    const asked = of("b");
    end("b");
    for (const answer of questions) answer(good);
    await expect(asked).resolves.toMatchObject({ kind: "rejected" });
    await expect(of("b")).resolves.toMatchObject({ kind: "rejected" });
    clock.ms += 30_000;
    server.answer = () => good;
    await expect(of("b")).resolves.toMatchObject(good);
    expect(isEnded("b")).toBe(false);
  });
});
