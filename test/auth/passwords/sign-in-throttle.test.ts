import { beforeEach, describe, expect, test } from "vitest";
import { createSignInThrottle } from "../../../src/auth/passwords/sign-in-throttle.ts";
import { wrongPassword, wrongRefreshToken } from "../../../src/auth/passwords/refused-sign-in.ts";
import type { PasswordSignIn, SignedIn } from "../../../src/auth/password-sign-in.ts";
import { AppError } from "../../../src/core/errors.ts";
import { systemPrincipal } from "../../../src/core/principal.ts";

const signedIn: SignedIn = {
  accessToken: "a",
  refreshToken: "r",
  expiresInSeconds: 1,
  principal: systemPrincipal,
};
const right = "right words";

let monotonicMs: number;
/** What came through to whoever decides. */
let asked: number;
let throttled: PasswordSignIn;
/** What the one who decides does with another than the right password. */
let refuse: () => Promise<SignedIn>;

beforeEach(() => {
  monotonicMs = 1000;
  asked = 0;
  refuse = () => Promise.reject(wrongPassword(null));
  throttled = createSignInThrottle(() => monotonicMs)({
    login({ password }) {
      asked += 1;
      return password === right ? Promise.resolve(signedIn) : refuse();
    },
    refresh(token) {
      asked += 1;
      return token === right ? Promise.resolve(signedIn) : Promise.reject(wrongRefreshToken(null));
    },
  });
});

/** How it ended: `in`, or the code of the error. */
const outcome = (work: Promise<SignedIn>): Promise<string> =>
  work.then(
    () => "in",
    (error: unknown) => (error instanceof AppError ? error.code : "?"),
  );
const login = (password: string, email = "ada@example.com", address = "192.0.2.1") =>
  outcome(throttled.login({ email, password }, { address }));
const refresh = (token: string): Promise<string> =>
  outcome(throttled.refresh(token, { address: "192.0.2.1" }));
const times = async (
  count: number,
  work: (index: number) => Promise<string>,
): Promise<string[]> => {
  const all: string[] = [];
  for (let index = 0; index < count; index += 1) all.push(await work(index));
  return all;
};
const counted = (all: readonly string[]): Record<string, number> =>
  Object.fromEntries([...new Set(all)].map((one) => [one, all.filter((it) => it === one).length]));

describe("failures of an account from an address", () => {
  test("are slowed down after ten, and even the right password waits", async () => {
    expect(counted(await times(12, () => login("wrong")))).toStrictEqual({
      auth_rejected: 10,
      rate_limited: 2,
    });
    expect(await login(right)).toBe("rate_limited");
    expect(asked).toBe(10);
    monotonicMs += 1000;
    expect(await login(right)).toBe("in");
    expect(await login("wrong")).toBe("auth_rejected");
  });

  test("wait twice as long each time, a quarter of an hour at most, and say how long", async () => {
    await times(10, () => login("wrong"));
    const waits: (number | undefined)[] = [];
    for (let index = 0; index < 13; index += 1) {
      const error: unknown = await throttled
        .login({ email: "ada@example.com", password: right }, { address: "192.0.2.1" })
        .catch((thrown: unknown) => thrown);
      const seconds = error instanceof AppError ? error.retryAfterSeconds : undefined;
      waits.push(seconds);
      monotonicMs += (seconds ?? 0) * 1000;
      expect(await login("wrong")).toBe("auth_rejected");
    }
    expect(waits).toStrictEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
  });

  test("lock out nobody at another address, and no other account at this one", async () => {
    await times(20, () => login("wrong"));
    expect(await login(right, "ada@example.com", "192.0.2.2")).toBe("in");
    expect(await login(right, "bob@example.com")).toBe("in");
    expect(await login(right)).toBe("rate_limited");
  });

  test("are the same account in any case, and one machine anywhere in its /64", async () => {
    await times(10, (index) =>
      login(
        "wrong",
        index % 2 === 0 ? "Ada@Example.com" : "ada@example.com",
        `2001:db8::${index + 1}`,
      ),
    );
    expect(await login("wrong", "ADA@example.com", "2001:db8::ffff:1")).toBe("rate_limited");
    expect(await login("wrong", "ada@example.com", "2001:db8:0:1::1")).toBe("auth_rejected");
  });

  test("of many at once, no more come through than one after the other", async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => login("wrong")));
    expect(asked).toBeLessThanOrEqual(10);
    expect(counted(all)["rate_limited"]).toBeGreaterThanOrEqual(90);
  });

  test("are forgotten after half a day, and after the right password", async () => {
    await times(10, () => login("wrong"));
    monotonicMs += 12 * 60 * 60_000;
    expect(counted(await times(10, () => login("wrong")))).toStrictEqual({ auth_rejected: 10 });
    monotonicMs += 1000;
    expect(await login(right)).toBe("in");
    expect(counted(await times(10, () => login("wrong")))).toStrictEqual({ auth_rejected: 10 });
  });

  test.each(["unreachable", "store_unavailable", "rate_limited", "usage", "forbidden"] as const)(
    "are not what ends with %s, nor does that make up for any",
    async (code) => {
      const failing = refuse;
      await times(9, () => login("wrong"));
      refuse = () => Promise.reject(new AppError(code, "Not now"));
      expect(counted(await times(30, () => login("wrong")))).toStrictEqual({ [code]: 30 });
      refuse = failing;
      expect(await times(2, () => login("wrong"))).toStrictEqual(["auth_rejected", "rate_limited"]);
    },
  );
});

describe("an address", () => {
  test("may fail two hundred times with different accounts, then one more each three seconds", async () => {
    const all = await times(210, (index) => login("wrong", `user${index}@example.com`));
    expect(counted(all)).toStrictEqual({ auth_rejected: 200, rate_limited: 10 });
    expect(await login(right, "else@example.com", "192.0.2.2")).toBe("in");
    monotonicMs += 3000;
    expect(await times(2, (index) => login("wrong", `more${index}@example.com`))).toStrictEqual([
      "auth_rejected",
      "rate_limited",
    ]);
  });

  test("has eight attempts decided at once, again and again, and another its own", async () => {
    for (let round = 0; round < 3; round += 1) {
      let release: ((value: SignedIn) => void) | undefined;
      const held = new Promise<SignedIn>((resolve) => (release = resolve));
      refuse = () => held;
      const waiting = Array.from({ length: 8 }, (_, index) =>
        login("wrong", `user${index}@example.com`),
      );
      expect(await login(right)).toBe("rate_limited");
      expect(await login(right, "ada@example.com", "192.0.2.2")).toBe("in");
      release?.(signedIn);
      expect(counted(await Promise.all(waiting))).toStrictEqual({ in: 8 });
    }
    expect(await login(right)).toBe("in");
  });

  test("refreshes 120 times at once at most, then twice a second, and may sign in all the same", async () => {
    expect(counted(await times(125, () => refresh(right)))).toStrictEqual({
      in: 120,
      rate_limited: 5,
    });
    const all = await times(300, () => {
      monotonicMs += 500;
      return refresh("wrong");
    });
    expect(counted(all)).toStrictEqual({ auth_rejected: 300 });
    expect(await refresh(right)).toBe("rate_limited");
    expect(await login(right)).toBe("in");
  });
});

describe("refreshes", () => {
  test("go on from an address where passwords are guessed", async () => {
    await times(200, (index) => login("wrong", `user${index}@example.com`));
    expect(await login(right)).toBe("rate_limited");
    expect(await refresh(right)).toBe("in");
  });

  test("go on while eight sign-ins from there are being decided, and hold none of those up", async () => {
    let release: ((value: SignedIn) => void) | undefined;
    const held = new Promise<SignedIn>((resolve) => (release = resolve));
    refuse = () => held;
    const waiting = Array.from({ length: 8 }, (_, index) =>
      login("wrong", `user${index}@example.com`),
    );
    expect(await login(right)).toBe("rate_limited");
    expect(await refresh(right)).toBe("in");
    release?.(signedIn);
    await Promise.all(waiting);
  });
});

test("an account signs in 60 times at once at most, from wherever", async () => {
  const all = await times(61, (index) => login(right, "ada@example.com", `192.0.2.${index}`));
  expect(counted(all)).toStrictEqual({ in: 60, rate_limited: 1 });
  monotonicMs += 5000;
  expect(await login(right)).toBe("in");
});

test("what was counted counts for the sign-in after a reload", async () => {
  const throttle = createSignInThrottle(() => monotonicMs);
  const refusing: PasswordSignIn = {
    login: () => Promise.reject(wrongPassword(null)),
    refresh: () => Promise.reject(wrongRefreshToken(null)),
  };
  const credentials = { email: "ada@example.com", password: "x" };
  const at = { address: "192.0.2.1" };
  await times(10, () => outcome(throttle(refusing).login(credentials, at)));
  expect(await outcome(throttle(refusing).login(credentials, at))).toBe("rate_limited");
});
