import { describe, expect, test } from "vitest";
import { AppError } from "../../../src/core/errors.ts";
import { createSupabaseSignIn } from "../../../src/auth/outside/supabase-sign-in.ts";
import type { SignedIn } from "../../../src/auth/password-sign-in.ts";
import type { FaultForm } from "../../fixtures/supabase-auth.ts";
import { accepted, openSupabase, supabaseMapping } from "./support/remote.ts";

const client = { address: "192.0.2.1" };
const ada = { email: "ada@example.com", password: "correct horse" };

const failure = (asked: Promise<SignedIn>): Promise<AppError> =>
  asked.then(
    () => expect.fail("signed in"),
    (error: unknown) => (error instanceof AppError ? error : expect.fail(String(error))),
  );
const open = (options: Parameters<typeof openSupabase>[0] = {}) =>
  openSupabase({ type: "simple", ...options });

describe("with the right password", () => {
  test("the server's own tokens are given, and let in", async () => {
    const { server, userId, authenticator, signIn } = await open();
    const signedIn = await signIn.login(ada, client);
    expect(signedIn).toMatchObject({
      expiresInSeconds: 3600,
      refreshToken: expect.any(String),
      principal: { userId, role: "editor", organizationId: "acme", method: "simple" },
    });
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /auth/v1/token?grant_type=password",
      "GET /auth/v1/user",
    ]);
    accepted(await authenticator.authenticate({ bearer: signedIn.accessToken }));
    expect(server.requests).toHaveLength(2);
  });

  test("a refresh token gives a new pair, and is good once", async () => {
    const { server, signIn } = await open();
    const first = await signIn.login(ada, client);
    const second = await signIn.refresh(first.refreshToken ?? "", client);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(JSON.parse(server.requests.at(-2)?.body ?? "")).toEqual({
      refresh_token: first.refreshToken,
    });
    await expect(failure(signIn.refresh(first.refreshToken ?? "", client))).resolves.toMatchObject({
      code: "auth_rejected",
    });
    // The reuse has ended the session, which is the server's to decide.
    await expect(failure(signIn.refresh(second.refreshToken ?? "", client))).resolves.toMatchObject(
      { code: "auth_rejected", message: "The refresh token is not good any more" },
    );
  });

  test("an organisation may be named only when it is the mapped one", async () => {
    const { signIn } = await open();
    await signIn.login({ ...ada, organizationId: "acme" }, client);
    await expect(
      failure(signIn.login({ ...ada, organizationId: "other" }, client)),
    ).resolves.toMatchObject({ code: "forbidden" });
  });

  test("who has no role here, or a second factor, is told so", async () => {
    const { signIn } = await open({ mapping: { ...supabaseMapping, role: null } });
    await expect(failure(signIn.login(ada, client))).resolves.toMatchObject({
      code: "forbidden",
      message: "You have no role in this gateway",
    });
    const { server, signIn: other } = await open();
    server.addUser({ email: "c@x.y", password: "x", hasSecondFactor: true });
    await expect(
      failure(other.login({ email: "c@x.y", password: "x" }, client)),
    ).resolves.toMatchObject({ code: "forbidden" });
  });
});

describe("who is refused after the right password", () => {
  const paths = (server: Awaited<ReturnType<typeof open>>["server"]): string[] =>
    server.requests.map(({ method, path }) => `${method} ${path}`);
  const logout = "POST /auth/v1/logout?scope=local";
  test.each<[string, Parameters<typeof open>[0], { organizationId?: string }]>([
    ["has no role", { mapping: { ...supabaseMapping, role: null } }, {}],
    ["lacks a scope", { mapping: { ...supabaseMapping, requiredScopes: ["gateway"] } }, {}],
    ["is of another organisation", {}, { organizationId: "other" }],
  ])("and %s leaves no session at the server", async (_name, options, more) => {
    const { server, signIn } = await open(options);
    await expect(failure(signIn.login({ ...ada, ...more }, client))).resolves.toMatchObject({
      code: "forbidden",
    });
    expect(paths(server).at(-1)).toBe(logout);
  });

  test("and has a second factor leaves none either", async () => {
    const { server, signIn } = await open();
    const two = { email: "c@x.y", password: "x" };
    server.addUser({ ...two, hasSecondFactor: true });
    await expect(failure(signIn.login(two, client))).resolves.toMatchObject({ code: "forbidden" });
    expect(paths(server).at(-1)).toBe(logout);
  });

  test("is told the same when the session cannot be ended", async () => {
    const body = { access_token: "e30.e30.c2ln", token_type: "bearer", expires_in: 3600 };
    const granted = () => Promise.resolve({ kind: "done" as const, body });
    const ended: string[] = [];
    const signIn = createSupabaseSignIn({
      client: { passwordGrant: granted, refreshGrant: granted },
      authenticator: {
        authenticate: () => ({ kind: "rejected", reason: "not here" }),
        revoke: (token) => {
          ended.push(token);
          return Promise.reject(new AppError("unreachable", "down"));
        },
      },
      log: { watch: (work) => work() },
    });
    await expect(failure(signIn.login(ada, client))).resolves.toMatchObject({
      code: "forbidden",
      message: "not here",
    });
    expect(ended).toEqual([body.access_token]);
  });

  test("nobody else's session is ended", async () => {
    const { server, signIn } = await open();
    await signIn.login(ada, client);
    await failure(signIn.login({ ...ada, password: "wrong" }, client));
    expect(paths(server)).not.toContain(logout);
  });
});

describe("what is wrong is told in one way", () => {
  const forms: FaultForm[] = ["by-version", "error-code", "no-codes"];
  test.each(forms)("whatever it is (%s)", async (form) => {
    const { server, signIn } = await open();
    server.form = form;
    const said: unknown[] = [];
    const tell = async (email: string, password: string): Promise<void> => {
      const { code, message, hint } = await failure(signIn.login({ email, password }, client));
      said.push({ code, message, hint });
    };
    await tell(ada.email, "wrong");
    await tell("nobody@example.com", "wrong");
    server.addUser({ email: "b@x.y", password: "x", isEmailUnconfirmed: true });
    await tell("b@x.y", "x");
    if (form !== "no-codes") {
      server.addUser({ email: "a@x.y", password: "x", isBanned: true });
      await tell("a@x.y", "x");
      await tell("", "x");
    }
    const wrong = {
      code: "auth_rejected",
      message: "The email address or the password is wrong",
      hint: undefined,
    };
    expect(said).toEqual(said.map(() => wrong));
  });

  test("a token of the gateway's is sent nowhere, neither as password nor to be refreshed", async () => {
    const { server, signIn } = await open();
    const token = `od_${"a".repeat(43)}`;
    const rejected = { code: "auth_rejected" };
    for (const text of [token, ` ${token}\n`, `Bearer ${token}`, `${token}@example.com`]) {
      for (const shown of [{ password: text }, { email: text }]) {
        const login = signIn.login({ ...ada, ...shown }, client);
        await expect(failure(login)).resolves.toMatchObject(rejected);
      }
    }
    for (const refreshToken of [token, "od_x", "x".repeat(3000), ` ${token}`, `Bearer ${token}`]) {
      await expect(failure(signIn.refresh(refreshToken, client))).resolves.toMatchObject(rejected);
    }
    expect(server.requests).toHaveLength(0);
  });

  test("a refresh token: unknown, of a session that is over or has expired, of who is banned, none", async () => {
    const { server, userId, signIn } = await open();
    const over = server.signIn(userId);
    server.endSession(over.sessionId);
    const expired = server.signIn(userId);
    server.expireSession(expired.sessionId);
    const banned = server.signIn(server.addUser({ email: "b@x.y", password: "x", isBanned: true }));
    for (const token of [
      "",
      "unknown",
      over.refreshToken,
      expired.refreshToken,
      banned.refreshToken,
    ]) {
      const { code, message } = await failure(signIn.refresh(token, client));
      expect({ code, message }).toEqual({
        code: "auth_rejected",
        message: "The refresh token is not good any more",
      });
    }
  });
});

describe("every documented failure", () => {
  type Expected = Partial<Pick<AppError, "code" | "retryAfterSeconds">>;
  const rejected: Expected = { code: "auth_rejected" };
  const unreachable: Expected = { code: "unreachable", retryAfterSeconds: 5 };
  const forbidden: Expected = { code: "forbidden" };
  const tooOften: Expected = { code: "rate_limited", retryAfterSeconds: 60 };
  test.each<[string, number, Expected, Expected]>([
    // code, status, for a password, for a refresh token
    ["invalid_credentials", 400, rejected, unreachable],
    ["email_not_confirmed", 400, rejected, unreachable],
    ["phone_not_confirmed", 400, rejected, unreachable],
    ["provider_email_needs_verification", 403, rejected, unreachable],
    ["email_address_invalid", 400, rejected, unreachable],
    ["user_banned", 403, rejected, rejected],
    ["user_not_found", 404, rejected, rejected],
    ["user_sso_managed", 422, rejected, unreachable],
    ["validation_failed", 400, rejected, rejected],
    ["refresh_token_not_found", 400, unreachable, rejected],
    ["refresh_token_already_used", 400, unreachable, rejected],
    ["session_not_found", 403, unreachable, rejected],
    ["session_expired", 400, unreachable, rejected],
    ["bad_jwt", 403, unreachable, rejected],
    ["insufficient_aal", 403, forbidden, forbidden],
    ["mfa_verification_failed", 422, forbidden, forbidden],
    ["mfa_verification_rejected", 403, forbidden, forbidden],
    ["mfa_challenge_expired", 422, forbidden, forbidden],
    ["mfa_ip_address_mismatch", 422, forbidden, forbidden],
    ["over_request_rate_limit", 429, tooOften, tooOften],
    ["over_email_send_rate_limit", 429, tooOften, tooOften],
    ["captcha_failed", 400, unreachable, unreachable],
    ["email_provider_disabled", 422, unreachable, unreachable],
    ["provider_disabled", 422, unreachable, unreachable],
    ["signup_disabled", 422, unreachable, unreachable],
    ["no_authorization", 401, unreachable, unreachable],
    ["not_admin", 403, unreachable, unreachable],
    ["bad_json", 400, unreachable, unreachable],
    ["conflict", 409, unreachable, unreachable],
    ["hook_timeout", 422, unreachable, unreachable],
    ["hook_payload_over_size_limit", 422, unreachable, unreachable],
    ["request_timeout", 504, unreachable, unreachable],
    ["unexpected_failure", 500, unreachable, unreachable],
    ["a_code_of_tomorrow", 400, unreachable, unreachable],
  ])("%s (%i)", async (code, status, forPassword, forRefreshToken) => {
    const { server, signIn } = await open();
    for (const form of ["by-version", "error-code"] as const) {
      server.form = form;
      server.fault = { status, code };
      await expect(failure(signIn.login(ada, client))).resolves.toMatchObject(forPassword);
      await expect(failure(signIn.refresh("a", client))).resolves.toMatchObject(forRefreshToken);
    }
  });

  test("the server's own wait is told, where it is one that somebody would wait", async () => {
    const { server, signIn } = await open();
    const waits = async (retryAfter: string): Promise<number | undefined> => {
      server.fault = { status: 429, code: "over_request_rate_limit", retryAfter };
      return (await failure(signIn.login(ada, client))).retryAfterSeconds;
    };
    await expect(waits("7")).resolves.toBe(7);
    for (const odd of ["0", "-1", "1.5", "999999", "Wed, 21 Oct 2026 07:28:00 GMT", ""]) {
      await expect(waits(odd)).resolves.toBe(60);
    }
    server.fault = undefined;
    server.trouble = {
      kind: "says",
      status: 429,
      type: "text/html",
      body: "<h1>Too many</h1>",
      headers: { "retry-after": "9" },
    };
    expect((await failure(signIn.login(ada, client))).retryAfterSeconds).toBe(9);
  });

  test("what the project does not allow is the operator's matter, and logged once", async () => {
    const { server, signIn, lines } = await open();
    server.settings.captcha = true;
    for (let times = 0; times < 3; times += 1) {
      await expect(failure(signIn.login(ada, client))).resolves.toMatchObject({
        code: "unreachable",
        message: "The auth server does not sign users in from here (captcha_failed)",
      });
    }
    server.settings = { captcha: false, emailProvider: false };
    await failure(signIn.login(ada, client));
    expect(lines.map(({ level, fields }) => [level, fields?.["reason"]])).toEqual([
      ["error", "The auth server does not sign users in from here (captcha_failed)"],
      ["error", "The auth server does not sign users in from here (email_provider_disabled)"],
    ]);
  });
});

describe("an answer that is none", () => {
  const tokens = {
    access_token: "e30.e30.c2ln",
    token_type: "bearer",
    expires_in: 3600,
    refresh_token: "r",
  };
  test.each([
    ["no JSON", "<html>"],
    ["no tokens", "{}"],
    ["a token that is no text", JSON.stringify({ ...tokens, access_token: 7 })],
    ["a token that no header can hold", JSON.stringify({ ...tokens, access_token: "a\r\nb" })],
    ["a token like the gateway's own", JSON.stringify({ ...tokens, access_token: "od_x" })],
    ["another type", JSON.stringify({ ...tokens, token_type: "DPoP" })],
    ["no time", JSON.stringify({ ...tokens, expires_in: "3600" })],
    ["a time that is past", JSON.stringify({ ...tokens, expires_in: 0 })],
    ["an odd refresh token", JSON.stringify({ ...tokens, refresh_token: {} })],
  ])("%s", async (_name, body) => {
    const { server, signIn } = await open();
    server.trouble = { kind: "says", status: 200, type: "application/json", body };
    await expect(failure(signIn.login(ada, client))).resolves.toMatchObject({
      code: "unreachable",
      message: "The auth server answers something else than its protocol",
    });
    // Nothing of it is used, not even to ask whose it is.
    expect(server.requests).toHaveLength(1);
  });

  test("a token that the server itself does not know is given to nobody", async () => {
    const { server, signIn } = await open();
    server.trouble = {
      kind: "says",
      status: 200,
      type: "application/json",
      body: JSON.stringify({ ...tokens, access_token: "not-a-jwt" }),
    };
    await expect(failure(signIn.login(ada, client))).resolves.toMatchObject({
      code: "unreachable",
    });
  });

  test("nor is there one while the server is down", async () => {
    const { server, signIn } = await open();
    await server.close();
    await expect(failure(signIn.login(ada, client))).resolves.toMatchObject({
      code: "unreachable",
    });
    await expect(failure(signIn.refresh("a", client))).resolves.toMatchObject({
      code: "unreachable",
    });
  });
});
