import { describe, expect, test } from "vitest";
import { says } from "../../fixtures/auth-server.ts";
import { accepted, openSupabase, supabaseMapping } from "./support/remote.ts";

describe("a token of Supabase's", () => {
  test("lets its user in, as the mapping says, until it expires", async () => {
    const { server, userId, authenticator, clock } = await openSupabase();
    const { accessToken } = server.signIn(userId);
    const principal = accepted(await authenticator.authenticate({ bearer: accessToken }));
    expect(principal).toMatchObject({
      userId,
      displayName: "ada@example.com",
      email: "ada@example.com",
      organizationId: "acme",
      role: "editor",
      scopes: [],
      method: "bearer",
      isLocalOwner: false,
      expiresAtMs: clock.ms + 3_600_000,
    });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({
      method: "GET",
      path: "/auth/v1/user",
      body: "",
      headers: {
        apikey: server.anonKey,
        authorization: `Bearer ${accessToken}`,
        "x-supabase-api-version": "2024-01-01",
      },
    });
  });

  test("lets its user in whatever the user wrote about itself, however deep", async () => {
    const { server, userId, authenticator } = await openSupabase();
    const { accessToken: bearer } = server.signIn(userId);
    const deep = `${"[".repeat(15_000)}${"]".repeat(15_000)}`;
    server.trouble = says(200, `{"id":"u","is_anonymous":false,"user_metadata":${deep}}`);
    expect(accepted(await authenticator.authenticate({ bearer })).userId).toBe("u");
  });

  test("is vouched for by its project", async () => {
    const { server, userId, authenticator } = await openSupabase();
    const { accessToken: bearer } = server.signIn(userId);
    expect(accepted(await authenticator.authenticate({ bearer })).issuer).toBe(server.url);
  });

  test("is confirmed by one request for a hundred at once", async () => {
    const { server, userId, authenticator } = await openSupabase();
    const { accessToken: bearer } = server.signIn(userId);
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => authenticator.authenticate({ bearer })),
    );
    expect(answers.every(({ kind }) => kind === "accepted")).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  test("takes organisation and role from what the user cannot write, and none that is not here", async () => {
    const mapping = {
      ...supabaseMapping,
      claims: {
        user: ["email"],
        organization: ["app_metadata", "org"],
        role: ["app_metadata", "role"],
      },
      role: null,
    };
    const { server, authenticator } = await openSupabase({ mapping });
    const inside = async (email: string, metadata: Record<string, unknown>) => {
      const id = server.addUser({ email, password: "x", other: { app_metadata: metadata } });
      const { accessToken: bearer } = server.signIn(id);
      const { organizationId, role, userId } = accepted(
        await authenticator.authenticate({ bearer }),
      );
      return { organizationId, role, userId };
    };
    await expect(inside("a@x.y", { org: "acme", role: "admin" })).resolves.toEqual({
      userId: "a@x.y",
      organizationId: "acme",
      role: "admin",
    });
    const nowhere = { organizationId: null, role: null };
    await expect(inside("b@x.y", { org: "gone", role: "admin" })).resolves.toMatchObject(nowhere);
    await expect(inside("c@x.y", { role: "admin" })).resolves.toMatchObject(nowhere);
    await expect(inside("d@x.y", { org: "acme" })).resolves.toMatchObject({ role: null });
  });

  test("has an email address only when that is confirmed", async () => {
    const { server, authenticator } = await openSupabase();
    const id = server.addUser({
      email: "new@example.com",
      password: "x",
      isEmailUnconfirmed: true,
    });
    const { accessToken: bearer } = server.signIn(id);
    expect(accepted(await authenticator.authenticate({ bearer }))).not.toHaveProperty("email");
  });
});

describe("nobody is let in", () => {
  test("and nothing is sent, without a token, with one of the gateway's, or with what cannot be a JWT", async () => {
    const { server, authenticator, clock } = await openSupabase();
    expect(await authenticator.authenticate({})).toEqual({ kind: "absent" });
    const expired = jwt({ sub: "x", exp: clock.ms / 1000 });
    for (const bearer of [
      `od_${"a".repeat(43)}`,
      "od_short",
      "",
      "not a token",
      "a.b\r\nx: y.c",
      "opaque",
      "one.two",
      "a.b.c",
      `${jwt({ sub: "x" })}.more`,
      jwt({ sub: "x", pad: "x".repeat(16 * 1024) }),
    ]) {
      await expect(authenticator.authenticate({ bearer })).resolves.toMatchObject({
        kind: "not-mine",
      });
    }
    await expect(authenticator.authenticate({ bearer: expired })).resolves.toEqual({
      kind: "rejected",
      reason: "The token has expired",
    });
    expect(server.requests).toHaveLength(0);
  });

  const forms = ["by-version", "error-code", "no-codes"] as const;
  test.each(forms)(
    "with a token of another server's, or one that was changed (%s)",
    async (form) => {
      const { server, userId, authenticator } = await openSupabase();
      server.form = form;
      const [header, , signature] = server.signIn(userId).accessToken.split(".");
      const changed = [header, jwt({ sub: userId }).split(".")[1], signature].join(".");
      for (const bearer of [changed, jwt({ sub: userId }), server.anonKey]) {
        await expect(authenticator.authenticate({ bearer })).resolves.toMatchObject({
          kind: "not-mine",
          reason: "The auth server does not know the token",
        });
      }
    },
  );

  test("whose session is over, whose account is gone, banned or deleted", async () => {
    const { server, userId, authenticator } = await openSupabase();
    const rejected = {
      kind: "rejected",
      reason: "The session of the token is over: sign in again",
    };
    const over = server.signIn(userId);
    server.endSession(over.sessionId);
    await expect(authenticator.authenticate({ bearer: over.accessToken })).resolves.toEqual(
      rejected,
    );

    const others = [
      { isBanned: true },
      { other: { deleted_at: "2024-01-01T00:00:00Z" } },
      { other: { banned_until: "no date" } },
    ];
    for (const [index, other] of others.entries()) {
      const id = server.addUser({ email: `${index}@x.y`, password: "x", ...other });
      const { accessToken: bearer } = server.signIn(id);
      await expect(authenticator.authenticate({ bearer })).resolves.toEqual(rejected);
    }

    const gone = server.signIn(userId);
    server.users.delete(userId);
    await expect(authenticator.authenticate({ bearer: gone.accessToken })).resolves.toEqual(
      rejected,
    );
  });

  test("but who was banned once is", async () => {
    const { server, authenticator } = await openSupabase();
    const other = { banned_until: "2024-01-01T00:00:00Z", deleted_at: null };
    const id = server.addUser({ email: "b@x.y", password: "x", other });
    const { accessToken: bearer } = server.signIn(id);
    expect(accepted(await authenticator.authenticate({ bearer })).userId).toBe(id);
  });

  test("anonymously, or without the second factor that the user has", async () => {
    const { server, authenticator } = await openSupabase();
    const other = { is_anonymous: true };
    const nobody = server.addUser({ email: "", password: "", other });
    await expect(
      authenticator.authenticate({ bearer: server.signIn(nobody).accessToken }),
    ).resolves.toMatchObject({ kind: "rejected", reason: expect.stringContaining("Anonymous") });

    const careful = server.addUser({ email: "c@x.y", password: "x", hasSecondFactor: true });
    await expect(
      authenticator.authenticate({ bearer: server.signIn(careful).accessToken }),
    ).resolves.toMatchObject({
      kind: "rejected",
      reason: expect.stringContaining("second factor"),
    });
    const { accessToken: bearer } = server.signIn(careful, { aal: "aal2" });
    accepted(await authenticator.authenticate({ bearer }));
  });

  test("past the end of the token, also from what is remembered", async () => {
    const { server, userId, authenticator, clock } = await openSupabase({ cacheMs: 7_200_000 });
    const { accessToken: bearer } = server.signIn(userId);
    accepted(await authenticator.authenticate({ bearer }));
    clock.ms += 3_599_999;
    accepted(await authenticator.authenticate({ bearer }));
    clock.ms += 1;
    await expect(authenticator.authenticate({ bearer })).resolves.toMatchObject({
      kind: "rejected",
      reason: "The token has expired",
    });
    expect(server.requests).toHaveLength(1);
  });
});

describe("revoking", () => {
  test("ends the session of the token at the server, and no other one, and counts here at once", async () => {
    const { server, userId, authenticator } = await openSupabase();
    const [one, other] = [server.signIn(userId), server.signIn(userId)];
    accepted(await authenticator.authenticate({ bearer: one.accessToken }));
    await expect(authenticator.revoke?.(one.accessToken)).resolves.toBe(true);
    expect(server.requests.at(-1)).toMatchObject({
      method: "POST",
      path: "/auth/v1/logout?scope=local",
    });
    await expect(authenticator.authenticate({ bearer: one.accessToken })).resolves.toMatchObject({
      kind: "rejected",
    });
    accepted(await authenticator.authenticate({ bearer: other.accessToken }));
    // Once more is no fault.
    await expect(authenticator.revoke?.(one.accessToken)).resolves.toBe(true);
  });

  test("is not its matter for what is none of the server's, which is sent nowhere where that can be seen", async () => {
    const { server, authenticator } = await openSupabase();
    await expect(authenticator.revoke?.(`od_${"a".repeat(43)}`)).resolves.toBe(false);
    await expect(authenticator.revoke?.("opaque")).resolves.toBe(false);
    expect(server.requests).toHaveLength(0);
    await expect(authenticator.revoke?.(jwt({ sub: "x" }))).resolves.toBe(false);
  });

  test("fails aloud while the server does, and the token stays good", async () => {
    const { server, userId, authenticator } = await openSupabase();
    const { accessToken: bearer } = server.signIn(userId);
    accepted(await authenticator.authenticate({ bearer }));
    server.fault = { status: 500, code: "unexpected_failure" };
    await expect(authenticator.revoke?.(bearer)).rejects.toMatchObject({ code: "unreachable" });
    accepted(await authenticator.authenticate({ bearer }));
  });
});

test("neither token nor key are in any log line, reason, error or address", async () => {
  const { server, userId, authenticator, signIn, lines } = await openSupabase();
  const { accessToken, refreshToken } = server.signIn(userId);
  const said: unknown[] = [];
  const keep = (error: unknown): void => {
    said.push(String(error), error instanceof Error ? [error.stack, error.cause] : undefined);
  };
  const client = { address: "192.0.2.1" };
  const askAll = async (): Promise<void> => {
    said.push(await authenticator.authenticate({ bearer: `${accessToken}x` }));
    await authenticator.revoke?.(accessToken).catch(keep);
    await signIn.login({ email: "ada@example.com", password: "hunter22" }, client).catch(keep);
    await signIn.refresh(refreshToken, client).catch(keep);
  };
  await askAll();
  server.fault = { status: 422, code: "conflict" };
  await askAll();
  server.fault = undefined;
  server.trouble = {
    kind: "says",
    status: 401,
    type: "text/plain",
    body: `${accessToken} ${server.anonKey} hunter22`,
  };
  await askAll();
  await server.close();
  await askAll();
  expect(lines.length).toBeGreaterThan(0);
  const paths = server.requests.map(({ path }) => path);
  const all = JSON.stringify([said, lines, paths]);
  for (const secret of [accessToken, server.anonKey, refreshToken, "hunter22"]) {
    expect(all).not.toContain(secret);
  }
});

function jwt(claims: Record<string, unknown>): string {
  return `${encode({ alg: "HS256" })}.${encode(claims)}.c2ln`;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
