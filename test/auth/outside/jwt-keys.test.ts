/** All that is under way has ended then. */
import { setImmediate as settled } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import type { Authentication, Authenticator } from "../../../src/auth/authenticator.ts";
import { createJwtAuthenticator } from "../../../src/auth/outside/jwt-authenticator.ts";
import { keySetTimes } from "../../../src/auth/outside/key-set.ts";
import {
  createFakeIssuer,
  keysUrl,
  mapping,
  metadataUrl,
  newKey,
  rules,
  startMs,
  token,
} from "./support/fake-issuer.ts";

const { cooldownMs, freshMs, maxAgeMs, overdueMs, retryMs, skewMs } = keySetTimes;
const first = newKey("ES256", "first");
const second = newKey("ES256", "second");

let issuer: ReturnType<typeof createFakeIssuer>;
let nowMs: number;
let door: Authenticator;
let lines: string[];

const log = (message: string): void => void lines.push(message);

/** Good at whatever time this is. */
const by = (key: typeof first, header: object = {}, iat: number | undefined = 1): string =>
  token(key, { claims: { iat, exp: startMs }, header });
/** Made now. */
const justBy = (key: typeof first): string => by(key, {}, Math.floor(nowMs / 1000));
const show = async (bearer: string): Promise<Authentication["kind"]> =>
  (await door.authenticate({ bearer })).kind;

beforeEach(() => {
  issuer = createFakeIssuer([first]);
  nowMs = startMs / 2;
  lines = [];
  door = createJwtAuthenticator({
    rules,
    mapping,
    directory: { organization: () => undefined },
    ask: issuer.ask,
    logger: { info: log, warn: log, error: log },
    now: () => nowMs,
    way: { type: "jwt", description: "With a token of the issuer" },
  });
});

describe("a new key", () => {
  test("is found by the first token that names it", async () => {
    expect(await show(by(first))).toBe("accepted");
    issuer.publish([second.jwk]);
    expect(await show(by(second))).toBe("accepted");
    expect(await show(by(first))).toBe("rejected");
    expect(issuer.keysAsked()).toBe(2);
  });

  test("is found when tokens name none, and when it has the old one's name", async () => {
    for (const header of [{ kid: undefined }, { kid: "first" }]) {
      issuer.publish([first.jwk]);
      nowMs += freshMs;
      expect(await show(by(first, header))).toBe("accepted");
      issuer.publish([{ ...second.jwk, kid: "first" }]);
      expect(await show(by(second, header))).toBe("accepted");
    }
  });

  test("that comes too soon after the search for another cannot be told from none: it is not rejected", async () => {
    const third = newKey("ES256", "third");
    expect(await show(by(first))).toBe("accepted");
    issuer.publish([second.jwk]);
    expect(await show(justBy(second))).toBe("accepted");
    issuer.publish([third.jwk]);
    nowMs += 1000;
    expect(await door.authenticate({ bearer: justBy(third) })).toStrictEqual({
      kind: "unavailable",
      reason: "The issuer's keys were asked for a moment ago, and the token's was not among them",
    });
    // Nor one that does not say when it was made.
    const untimed = token(third, { claims: { iat: undefined, exp: startMs } });
    expect(await show(untimed)).toBe("unavailable");
    // What was made well before the keys were got is signed by one that is gone; so is what has a key that is known.
    expect(await show(by(first))).toBe("rejected");
    expect(await show(by(third, { kid: "second" }, nowMs / 1000))).toBe("rejected");
    expect(issuer.keysAsked()).toBe(2);
    nowMs += cooldownMs;
    expect(await show(justBy(third))).toBe("accepted");
    expect(issuer.keysAsked()).toBe(3);
    // What was searched for and is not there is refused, however new it is.
    nowMs += cooldownMs;
    expect(await show(justBy(newKey("ES256", "stranger")))).toBe("rejected");
  });

  test("may be newer than the issuer's clock says, by half a minute", async () => {
    expect(await show(by(first))).toBe("accepted");
    nowMs += cooldownMs;
    expect(await show(by(second))).toBe("rejected");
    const ageOf = (ms: number) => show(by(second, {}, (nowMs - ms) / 1000));
    expect(await ageOf(skewMs)).toBe("unavailable");
    expect(await ageOf(skewMs + 1000)).toBe("rejected");
  });

  test("is looked for once in a while, whoever names one", async () => {
    const stranger = newKey("ES256", "stranger");
    expect(await show(by(first))).toBe("accepted");
    const flood = Array.from({ length: 50 }, async (_, index) =>
      show(by(stranger, { kid: `stranger ${index}` })),
    );
    expect(new Set(await Promise.all(flood))).toStrictEqual(new Set(["rejected"]));
    expect(issuer.keysAsked()).toBe(2);
    nowMs += cooldownMs - 1;
    issuer.publish([first.jwk, second.jwk]);
    expect(await show(by(second))).toBe("rejected");
    expect(issuer.keysAsked()).toBe(2);
    nowMs += 1;
    expect(await show(by(second))).toBe("accepted");
    expect(await show(by(stranger))).toBe("rejected");
    expect(issuer.keysAsked()).toBe(3);
  });
});

describe("an old key", () => {
  test("is good no longer than the keys are fresh, once it is not published any more", async () => {
    expect(await show(by(first))).toBe("accepted");
    issuer.publish([]);
    nowMs += freshMs - 1;
    expect(await show(by(first))).toBe("accepted");
    nowMs += 1;
    // The first who comes does not wait for the answer.
    expect(await show(by(first))).toBe("accepted");
    expect(await show(by(first))).toBe("rejected");
  });

  test("is not good where nobody has asked for long, and the issuer answers", async () => {
    expect(await show(by(first))).toBe("accepted");
    issuer.publish([]);
    nowMs += overdueMs;
    expect(await show(by(first))).toBe("rejected");
  });

  test("is not good where the clock was put back, and the issuer answers", async () => {
    expect(await show(by(first))).toBe("accepted");
    issuer.publish([]);
    nowMs -= 3_600_000;
    expect(await show(by(first))).toBe("rejected");
  });

  test("is good at once while the issuer hangs", async () => {
    expect(await show(by(first))).toBe("accepted");
    let letGo: (() => void) | undefined;
    issuer.held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    nowMs += freshMs;
    for (let times = 0; times < 3; times += 1) expect(await show(by(first))).toBe("accepted");
    expect(issuer.keysAsked()).toBe(2);
    issuer.isDown = true;
    letGo?.();
    await settled();
    // It was found out that nothing comes from there: nor does anybody wait for the next answer.
    nowMs += overdueMs - freshMs - 1;
    issuer.held = new Promise(() => undefined);
    expect(await show(by(first))).toBe("accepted");
    expect(issuer.keysAsked()).toBe(3);
  });

  test("stays good for a day while the issuer is down, and not longer", async () => {
    expect(await show(by(first))).toBe("accepted");
    issuer.isDown = true;
    nowMs += maxAgeMs - 1;
    expect(await show(by(first))).toBe("accepted");
    nowMs += 1;
    expect(await show(by(first))).toBe("unavailable");
    issuer.isDown = false;
    nowMs += cooldownMs;
    expect(await show(by(first))).toBe("accepted");
  });

  test("makes an issuer that is down be asked once in a while", async () => {
    expect(await show(by(first))).toBe("accepted");
    issuer.isDown = true;
    nowMs += freshMs;
    for (let times = 0; times < 20; times += 1) expect(await show(by(first))).toBe("accepted");
    expect(issuer.keysAsked()).toBe(2);
    nowMs += cooldownMs;
    expect(await show(by(first))).toBe("accepted");
    expect(issuer.keysAsked()).toBe(3);
  });

  test("says of its own signatures what is right, whether the issuer answers or not", async () => {
    expect(await show(by(first))).toBe("accepted");
    issuer.isDown = true;
    expect(await show(by(second, { kid: "first" }))).toBe("rejected");
  });
});

describe("an issuer that cannot be asked", () => {
  test("makes nobody rejected and nobody accepted, and is asked again soon", async () => {
    issuer.isDown = true;
    expect(await door.authenticate({ bearer: by(first) })).toStrictEqual({
      kind: "unavailable",
      reason: "The auth server cannot be reached",
    });
    const asked = issuer.asked.length;
    const answers = await Promise.all(Array.from({ length: 50 }, async () => show(by(first))));
    expect(new Set(answers)).toStrictEqual(new Set(["unavailable"]));
    expect(issuer.asked).toHaveLength(asked);
    expect(lines).toStrictEqual([
      "The auth server cannot be asked: whom it would vouch for gets 503",
    ]);
    issuer.isDown = false;
    nowMs += retryMs;
    expect(await show(by(first))).toBe("accepted");
    expect(lines.slice(1)).toStrictEqual(["The auth server answers again"]);
  });

  test("leaves it open whether a key that is not known is there", async () => {
    expect(await show(by(first))).toBe("accepted");
    issuer.isDown = true;
    expect(await show(by(second))).toBe("unavailable");
    expect(await show(by(second, { kid: undefined }))).toBe("unavailable");
    expect(issuer.keysAsked()).toBe(2);
    expect(await show(by(first))).toBe("accepted");
    issuer.isDown = false;
    nowMs += cooldownMs;
    expect(await show(by(second))).toBe("rejected");
  });

  test.each<[string, string, { status: number; body: string }]>([
    ["keys with an error", keysUrl, { status: 500, body: JSON.stringify({ keys: [first.jwk] }) }],
    ["keys that are moved", keysUrl, { status: 302, body: "" }],
    ["keys that are no JSON", keysUrl, { status: 200, body: "<html>" }],
    ["keys that are no set", keysUrl, { status: 200, body: "[]" }],
    [
      "keys without end",
      keysUrl,
      { status: 200, body: JSON.stringify({ keys: Array(101).fill(first.jwk) }) },
    ],
    ["no metadata", metadataUrl, { status: 404, body: "" }],
    [
      "another's metadata",
      metadataUrl,
      {
        status: 200,
        body: JSON.stringify({ issuer: "https://issuer.example", jwks_uri: keysUrl }),
      },
    ],
  ])("is one that answers %s", async (_what, url, page) => {
    issuer.pages.set(url, page);
    expect(await show(by(first))).toBe("unavailable");
  });

  test("keeps nobody waiting in a row: callers share one question", async () => {
    let letGo: (() => void) | undefined;
    issuer.held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const answers = Array.from({ length: 20 }, async () => show(by(first)));
    letGo?.();
    expect(new Set(await Promise.all(answers))).toStrictEqual(new Set(["accepted"]));
    expect(issuer.asked).toStrictEqual([metadataUrl, keysUrl]);
  });
});
