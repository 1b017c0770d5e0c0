/** All that is under way has ended then. */
import { setImmediate as settled } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createBearerAuthenticator } from "../../../src/auth/outside/bearer-authenticator.ts";
import { AuthServerUnavailable } from "../../../src/auth/outside/ask-auth-server.ts";
import type { Confirmation } from "../../../src/auth/outside/confirmations.ts";
import type { Organization } from "../../../src/core/identities.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { anOrganization } from "../support/identities.ts";
import { accepted } from "./support/remote.ts";

/** An authenticator whose server says what the test says, and how often it was asked. */
function open(options: { cacheMs?: number; expiresInMs?: number; canEnd?: boolean } = {}) {
  const { cacheMs = 30_000, expiresInMs } = options;
  const clock = { ms: 1_000_000 };
  const organizations = new Map<string, Organization>([["acme", anOrganization("acme")]]);
  const server = {
    asked: 0,
    answer: (): Confirmation | Promise<Confirmation> => confirmed({ role: "viewer" }),
  };
  const expiresAtMs = expiresInMs === undefined ? undefined : clock.ms + expiresInMs;
  const confirmed = (claims: JsonObject): Confirmation => ({
    kind: "confirmed",
    claims: { sub: "ada", ...claims },
    scopes: [],
    expiresAtMs,
  });
  const make = () =>
    createBearerAuthenticator({
      issuer: "https://issuer.example",
      way: { type: "bearer", description: "" },
      mapping: {
        claims: { user: ["sub"], role: ["role"] },
        organizationId: "acme",
        role: null,
        requiredScopes: [],
      },
      directory: { organization: (id) => organizations.get(id) },
      now: () => clock.ms,
      cacheMs,
      ...(options.canEnd === true ? { revoke: () => Promise.resolve(true) } : {}),
      ask: async () => {
        server.asked += 1;
        return server.answer();
      },
    });
  const authenticator = make();
  const enter = async () => accepted(await authenticator.authenticate({ bearer: "t" }));
  return { authenticator, make, clock, server, organizations, confirmed, enter };
}

const down = (): Promise<never> => Promise.reject(new AuthServerUnavailable("down"));

describe("who was let in", () => {
  test("stays as it is while the confirmation is fresh, and nobody is asked", async () => {
    const { authenticator, clock, server, enter } = open();
    const principal = await enter();
    clock.ms += 29_999;
    expect(authenticator.renew(principal)).toBe(principal);
    await settled();
    expect(server.asked).toBe(1);
  });

  test("stays while the server is asked again, once, however often that is looked at", async () => {
    const { authenticator, clock, server, enter } = open();
    const principal = await enter();
    clock.ms += 30_000;
    for (let times = 0; times < 10; times += 1) {
      expect(authenticator.renew(principal)).toBe(principal);
    }
    await settled();
    expect(server.asked).toBe(2);
    clock.ms += 29_999;
    expect(authenticator.renew(principal)).toBe(principal);
    await settled();
    expect(server.asked).toBe(2);
  });

  test("is out once the server rejects the token", async () => {
    const { authenticator, clock, server, enter } = open();
    const principal = await enter();
    server.answer = () => ({ kind: "rejected", reason: "over" });
    expect(authenticator.renew(principal)).toBe(principal);
    clock.ms += 30_000;
    expect(authenticator.renew(principal)).toBe(principal);
    await settled();
    expect(authenticator.renew(principal)).toBeUndefined();
    // For good: the token may be good again, the principal is not.
    clock.ms += 30_000;
    server.answer = () => ({ kind: "confirmed", claims: { sub: "ada" }, scopes: [] });
    expect(authenticator.renew(principal)).toBeUndefined();
    await settled();
    expect(authenticator.renew(principal)).toBeUndefined();
  });

  test("stays a minute without the server, which is asked every five seconds, and no longer", async () => {
    const { authenticator, clock, server, enter } = open();
    const principal = await enter();
    server.answer = down;
    clock.ms += 30_000;
    for (let ms = 0; ms < 60_000; ms += 250) {
      expect(authenticator.renew(principal)).toBe(principal);
      await settled();
      clock.ms += 250;
    }
    expect(server.asked).toBe(1 + 12);
    expect(authenticator.renew(principal)).toBeUndefined();
    expect((await authenticator.authenticate({ bearer: "t" })).kind).toBe("unavailable");
  });

  test("is out once the token was ended here, at once, and for good", async () => {
    const { authenticator, clock, enter } = open({ canEnd: true });
    const [one, other] = [await enter(), await enter()];
    expect(authenticator.renew(one)).toBe(one);
    await expect(authenticator.revoke?.("t")).resolves.toBe(true);
    expect([one, other].map((each) => authenticator.renew(each))).toEqual([undefined, undefined]);
    // That is not remembered for ever; the principal is out all the same.
    clock.ms += 30_000;
    await expect(authenticator.authenticate({ bearer: "t" })).resolves.toMatchObject({
      kind: "accepted",
    });
    expect(authenticator.renew(one)).toBeUndefined();
  });

  test("is asked about when the answer it came in by is old, not when it has been in for long", async () => {
    const { authenticator, clock, server, enter } = open();
    await enter();
    clock.ms += 29_000;
    const late = await enter();
    expect(server.asked).toBe(1);
    server.answer = () => ({ kind: "rejected", reason: "over" });
    clock.ms += 1000;
    expect(authenticator.renew(late)).toBe(late);
    await settled();
    expect(server.asked).toBe(2);
    expect(authenticator.renew(late)).toBeUndefined();
  });

  test("is as old as the answer to another request that it stays by", async () => {
    const { authenticator, clock, server, enter } = open();
    const principal = await enter();
    clock.ms += 30_000;
    await enter();
    clock.ms += 29_000;
    authenticator.renew(principal);
    await settled();
    expect(server.asked).toBe(2);
    server.answer = () => ({ kind: "rejected", reason: "over" });
    clock.ms += 5000;
    authenticator.renew(principal);
    await settled();
    expect(authenticator.renew(principal)).toBeUndefined();
  });

  test("is asked about no later than otherwise where the clock is put back", async () => {
    const { authenticator, clock, server, enter } = open();
    const principal = await enter();
    clock.ms -= 3_600_000;
    expect(authenticator.renew(principal)).toBe(principal);
    server.answer = () => ({ kind: "rejected", reason: "over" });
    clock.ms += 30_000;
    authenticator.renew(principal);
    await settled();
    expect(authenticator.renew(principal)).toBeUndefined();
  });

  test("stays where the server comes back in time", async () => {
    const { authenticator, clock, server, enter, confirmed } = open();
    const principal = await enter();
    server.answer = down;
    clock.ms += 80_000;
    expect(authenticator.renew(principal)).toBe(principal);
    await settled();
    server.answer = () => confirmed({ role: "viewer" });
    clock.ms += 5000;
    expect(authenticator.renew(principal)).toBe(principal);
    await settled();
    clock.ms += 20_000;
    expect(authenticator.renew(principal)).toBe(principal);
  });

  test("is out at the token's end, whatever was confirmed", async () => {
    const { authenticator, clock, enter } = open({ expiresInMs: 10_000 });
    const principal = await enter();
    clock.ms += 9999;
    expect(authenticator.renew(principal)).toBe(principal);
    clock.ms += 1;
    expect(authenticator.renew(principal)).toBeUndefined();
  });

  test("becomes what the server says next, and stays that", async () => {
    const { authenticator, clock, server, enter, confirmed } = open();
    const principal = await enter();
    expect(principal.role).toBe("viewer");
    server.answer = () => confirmed({ role: "admin" });
    clock.ms += 30_000;
    authenticator.renew(principal);
    await settled();
    const promoted = authenticator.renew(principal);
    expect(promoted?.role).toBe("admin");
    expect(promoted && authenticator.renew(promoted)).toBe(promoted);
  });

  test("has no place in an organisation that is gone, at once", async () => {
    const { authenticator, organizations, enter } = open();
    const principal = await enter();
    organizations.delete("acme");
    expect(authenticator.renew(principal)).toMatchObject({ organizationId: null, role: null });
  });

  test("by another instance, with other rules perhaps, has no standing", async () => {
    const { authenticator, make, enter } = open();
    const principal = await enter();
    expect(make().renew(principal)).toBeUndefined();
    expect(authenticator.renew({ ...principal })).toBeUndefined();
  });

  test("where nothing is remembered is asked for every five seconds at most", async () => {
    const { authenticator, clock, server, enter } = open({ cacheMs: 0 });
    const principal = await enter();
    for (let ms = 0; ms <= 20_000; ms += 250) {
      expect(authenticator.renew(principal)).toBe(principal);
      await settled();
      clock.ms += 250;
    }
    expect(server.asked).toBe(1 + 4);
  });
});

test("who is let in is named with who vouches for it", async () => {
  expect((await open().enter()).issuer).toBe("https://issuer.example");
});

test("a fault of ours is a fault, not a server that is down", async () => {
  const { authenticator, server } = open();
  server.answer = () => Promise.reject(new TypeError("bug"));
  await expect(authenticator.authenticate({ bearer: "t" })).rejects.toThrow(TypeError);
});

test("what cannot be ended at the server is not its matter", () => {
  expect(open().authenticator).not.toHaveProperty("revoke");
});
