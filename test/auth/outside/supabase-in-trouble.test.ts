import { describe, expect, test } from "vitest";
import { says } from "../../fixtures/auth-server.ts";
import type { Trouble } from "../../fixtures/auth-server.ts";
import { accepted, openSupabase } from "./support/remote.ts";

describe("while the server is in trouble", () => {
  const troubles: [string, Trouble][] = [
    ["hangs", { kind: "hangs" }],
    ["drips", { kind: "drips" }],
    ["resets", { kind: "resets" }],
    ["breaks off", { kind: "breaks off" }],
    ["answers garbage", says(200, '{"id": ')],
    ["answers a list", says(200, "[]")],
    ["answers a user without id", says(200, '{"email": "a@b.c"}')],
    ["answers a number for an id", says(200, '{"id": 7}')],
    ["answers nothing", says(200, "")],
    ["answers HTML", says(200, "<html>Sign in to the network</html>", { type: "text/html" })],
    ["answers too much", says(200, `{"id": "${"x".repeat(70_000)}"}`)],
    ["redirects", says(302, "", { location: "/" })],
    ["has too many requests", says(429, "slow down", { type: "text/html" })],
    ["fails", says(500, '{"code":500,"error_code":"unexpected_failure"}')],
    ["fails with a code of rejections", says(500, '{"code":"bad_jwt"}')],
    ["is behind a broken proxy", says(502, "<h1>Bad gateway</h1>", { type: "text/html" })],
    ["is starting", says(503, "", { type: "text/plain" })],
    ["is not there", says(404, '{"message":"no Route matched"}')],
    ["forbids, in words of another", says(403, "<h1>Blocked</h1>", { type: "text/html" })],
    ["refuses us, in words of another", says(401, "Unauthorized", { type: "text/plain" })],
  ];

  test.each(troubles)(
    "that it %s, nobody is let in, and that is said once",
    async (_name, trouble) => {
      const { server, userId, authenticator, lines, clock } = await openSupabase({
        limits: { timeoutMs: 300 },
      });
      const { accessToken: bearer } = server.signIn(userId);
      accepted(await authenticator.authenticate({ bearer }));
      clock.ms += 30_000;
      server.trouble = trouble;
      for (let times = 0; times < 3; times += 1) {
        await expect(authenticator.authenticate({ bearer })).resolves.toMatchObject({
          kind: "unavailable",
        });
      }
      expect(lines).toHaveLength(1);
      server.trouble = undefined;
      accepted(await authenticator.authenticate({ bearer }));
      expect(lines.map(({ message }) => message)).toContain("The auth server answers again");
    },
  );

  test.each([
    "over_request_rate_limit",
    "request_timeout",
    "hook_timeout",
    "conflict",
    "brand_new",
  ])("and says %s, that is no rejection", async (code) => {
    const { server, userId, authenticator } = await openSupabase();
    server.fault = { status: code.startsWith("over") ? 429 : 422, code };
    const { accessToken: bearer } = server.signIn(userId);
    await expect(authenticator.authenticate({ bearer })).resolves.toMatchObject({
      kind: "unavailable",
    });
  });

  test("because it is down, nobody is let in", async () => {
    const { server, userId, authenticator, clock } = await openSupabase();
    const { accessToken: bearer } = server.signIn(userId);
    accepted(await authenticator.authenticate({ bearer }));
    await server.close();
    // What was confirmed a moment ago is good for as long as it would be.
    clock.ms += 29_999;
    accepted(await authenticator.authenticate({ bearer }));
    clock.ms += 1;
    await expect(authenticator.authenticate({ bearer })).resolves.toEqual({
      kind: "unavailable",
      reason: "The auth server is not reached: the connection is refused",
    });
  });

  test("because the gateway's key is wrong, that is an error of the operator's, told once", async () => {
    const { server, userId, authenticator, lines } = await openSupabase({ anonKey: "wr0ng-key" });
    for (let index = 0; index < 3; index += 1) {
      const { accessToken: bearer } = server.signIn(userId);
      await expect(authenticator.authenticate({ bearer })).resolves.toMatchObject({
        kind: "unavailable",
      });
    }
    expect(lines).toEqual([
      {
        level: "error",
        message: "The auth server refuses the gateway itself",
        fields: {
          authServer: server.url,
          reason: "The auth server does not accept the gateway's key (anonKey)",
        },
      },
    ]);
  });

  test("a slow one is waited for", async () => {
    const { server, userId, authenticator } = await openSupabase();
    const { release, arrived } = server.hold();
    const { accessToken: bearer } = server.signIn(userId);
    const asked = authenticator.authenticate({ bearer });
    await arrived(1);
    release();
    expect(accepted(await asked).userId).toBe(userId);
  });
});

describe("a flood of different bad tokens", () => {
  test("has few requests outstanding, and who was let in before still is", async () => {
    const { server, userId, authenticator, clock } = await openSupabase({
      limits: { timeoutMs: 20_000 },
    });
    const { accessToken: bearer } = server.signIn(userId);
    accepted(await authenticator.authenticate({ bearer }));
    clock.ms += 30_000;
    const { release, arrived } = server.hold();
    const strangers = arrived(24);
    const flood = Array.from({ length: 1000 }, (_, index) =>
      authenticator.authenticate({ bearer: jwt({ sub: "x", jti: index }) }),
    );
    await strangers;
    const known = arrived(25);
    const mine = authenticator.authenticate({ bearer });
    await known;
    expect(server.requests.at(-1)?.headers.authorization).toBe(`Bearer ${bearer}`);
    release();
    accepted(await mine);
    const kinds = (await Promise.all(flood)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "not-mine")).toHaveLength(24 + 256);
    expect(kinds.filter((kind) => kind === "unavailable")).toHaveLength(1000 - 24 - 256);
    expect(server.mostAtOnce).toBeLessThanOrEqual(32);
  });
});

function jwt(claims: Record<string, unknown>): string {
  return `${encode({ alg: "HS256" })}.${encode(claims)}.c2ln`;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
