import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { logIn, OrganizationNeeded, refreshSession } from "../../src/client/session-login.ts";
import { says, startAuthServer } from "../fixtures/auth-server.ts";
import type { AuthServerStandIn, Trouble } from "../fixtures/auth-server.ts";

/** A lying, failing server that stands in for what a gateway never answers; real ones are asked end to end. */
let server: AuthServerStandIn;
beforeEach(async () => {
  server = await startAuthServer(() => ({ status: 200, json: good }));
});
afterEach(() => server.close());

const good = {
  access_token: "od_access",
  token_type: "bearer",
  expires_in: 3600,
  refresh_token: "od_refresh",
  message: "Signed in as Bob",
};
const credentials = { email: "bob@example.com", password: 'correct "horse" \u00e9' };
const nowMs = Date.parse("2030-01-01T00:00:00Z");
const now = (): number => nowMs;
const never = { signal: new AbortController().signal, now };

function signIn(): ReturnType<typeof logIn> {
  return logIn(`${server.url}/team/mcp`, credentials, never);
}

/** @returns what it is refused with */
async function refusal(trouble: Trouble): Promise<unknown> {
  server.trouble = trouble;
  return signIn().then(
    () => undefined,
    (error: unknown) => error,
  );
}

function told(code: string, message: string, more: object = {}): string {
  return JSON.stringify({ error: { code, message, hint: "rm -rf ~", ...more } });
}

describe("logIn", () => {
  test("shows address and password to the base of the endpoint, and keeps what renews", async () => {
    const session = await signIn();
    expect(session.credential).toEqual({
      token: "od_access",
      session: { refreshToken: "od_refresh" },
    });
    expect(session.expiresAtMs).toBe(nowMs + 3_600_000);
    const [{ method, path, headers, body } = { body: "" }] = server.requests;
    expect({ method, path }).toEqual({ method: "POST", path: "/team/auth/login" });
    expect(headers?.["content-type"]).toBe("application/json");
    expect(JSON.parse(body)).toEqual(credentials);
  });

  test("says the organisation where one is named", async () => {
    await logIn(server.url, { ...credentials, organization: "acme" }, never);
    expect(JSON.parse(server.requests[0]?.body ?? "")).toMatchObject({ organization: "acme" });
  });

  test.each([
    ["no refresh token", { ...good, refresh_token: undefined }],
    ["an empty one", { ...good, refresh_token: "" }],
    ["null", { ...good, refresh_token: null }],
  ])("keeps a session that cannot be renewed: %s", async (_what, json) => {
    server.trouble = says(200, JSON.stringify(json));
    expect((await signIn()).credential).toEqual({ token: "od_access" });
  });

  test("a server that does not say how long it is good for", async () => {
    server.trouble = says(200, JSON.stringify({ ...good, expires_in: undefined }));
    expect(await signIn()).not.toHaveProperty("expiresAtMs");
  });

  test.each([
    ["no token", { access_token: undefined }],
    ["a token that is none", { access_token: 7 }],
    ["an empty token", { access_token: "" }],
    ["a token of two lines", { access_token: "od_a\nSet-Cookie: x" }],
    ["a token with an escape", { access_token: "od_\u001b[2J" }],
    ["a token beyond ASCII", { access_token: "od_\u00e9" }],
    ["a token larger than any header", { access_token: "x".repeat(16 * 1024 + 1) }],
    ["another type of token", { token_type: "mac" }],
    ["no type of token", { token_type: undefined }],
    ["a refresh token with a space", { refresh_token: "od_a b" }],
    ["a refresh token that could not be shown again", { refresh_token: "x".repeat(4097) }],
    ["a refresh token that is none", { refresh_token: ["od_a"] }],
    ["an end that is no number", { expires_in: "3600" }],
    ["an end before now", { expires_in: -1 }],
    ["an end that no date has", { expires_in: 1e300 }],
  ])("refuses an answer with %s, and repeats nothing of it", async (_what, changed) => {
    const error = await refusal(says(200, JSON.stringify({ ...good, ...changed })));
    expect(error).toMatchObject({
      code: "unreachable",
      message: `${server.url}/team/auth/login answered with something else than a session`,
    });
  });

  test.each([
    ["wrong", says(401, told("auth_rejected", "Wrong")), "auth_rejected", "Wrong"],
    ["wrong, in other words", says(401, "no", { type: "text/plain" }), "auth_rejected", "refused"],
    ["refused for good", says(403, told("forbidden", "In none")), "forbidden", "In none"],
    ["a gateway without it", says(404, told("not_found", "Nobody")), "usage", "has no sign-in"],
    ["any other server", says(404, "<h1>", { type: "text/html" }), "usage", "has no sign-in"],
    ["another method", says(405, ""), "usage", "has no sign-in"],
    ["a fault", says(500, told("internal", "Oops")), "unreachable", "HTTP 500"],
    ["a fault that it explains", says(503, told("unreachable", "Down")), "unreachable", "Down"],
    ["a fault that says 401", says(502, told("auth_rejected", "No")), "unreachable", "HTTP 502"],
    ["a page", says(200, "<html>", { type: "text/html" }), "unreachable", "(text/html)"],
    ["a list", says(200, "[]"), "unreachable", "did not answer as"],
    [
      "a redirect",
      says(307, "", { location: "https://evil.example/" }),
      "unreachable",
      "redirects",
    ],
    ["far too much", says(200, " ".repeat(70_000)), "unreachable", "longer than"],
    ["an end in the middle", { kind: "breaks off" } as const, "unreachable", "closed"],
    ["no answer", { kind: "resets" } as const, "unreachable", "closed"],
  ])("%s", async (_what, trouble, code, message) => {
    const error = await refusal(trouble);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(inspect(error, { depth: 0 })).not.toMatch(/rm -rf|horse/u);
  });

  test.each([
    ["its header", says(429, "", { "retry-after": "17" }), 17],
    ["its body", says(429, told("rate_limited", "No", { retryAfterSeconds: 5 })), 5],
    ["nothing that could be waited for", says(429, "", { "retry-after": "soon" }), undefined],
  ])("too many sign-ins: how long to wait, from %s", async (_where, trouble, seconds) => {
    expect(await refusal(trouble)).toMatchObject({
      code: "rate_limited",
      message: `Too many sign-ins at ${server.url}/team; try again ${seconds === undefined ? "later" : `in ${seconds} s`}`,
      retryAfterSeconds: seconds,
    });
  });

  test("the organisation has to be named", async () => {
    const error = await refusal(says(400, told("usage", "You are in several organisations: a, b")));
    expect(error).toBeInstanceOf(OrganizationNeeded);
    expect(error).toMatchObject({ code: "usage", hint: "Name one: --organization <id>" });
  });

  test("other faults of ours stay such", async () => {
    const error = await refusal(says(400, told("usage", "email is empty")));
    expect(error).not.toBeInstanceOf(OrganizationNeeded);
    expect(error).toMatchObject({ code: "usage", message: "email is empty" });
  });

  test.each(["hangs", "drips"] as const)(
    "a server that %s is left when the time is over",
    async (kind) => {
      server.trouble = { kind };
      await expect(
        logIn(server.url, credentials, { signal: AbortSignal.timeout(50), now }),
      ).rejects.toMatchObject({
        code: "timeout",
      });
    },
  );

  test("Ctrl-C ends it", async () => {
    server.trouble = { kind: "hangs" };
    const abort = new AbortController();
    const signedIn = logIn(server.url, credentials, { signal: abort.signal, now });
    abort.abort(new Error("interrupted"));
    await expect(signedIn).rejects.toThrow("interrupted");
  });
});

describe("refreshSession", () => {
  test("shows the refresh token alone, and gives the new pair", async () => {
    server.trouble = says(
      200,
      JSON.stringify({ ...good, access_token: "od_next", refresh_token: "od_later" }),
    );
    const session = await refreshSession(server.url, "od_refresh", never);
    expect(session.credential).toEqual({ token: "od_next", session: { refreshToken: "od_later" } });
    expect(JSON.parse(server.requests[0]?.body ?? "")).toEqual({ refresh_token: "od_refresh" });
  });

  test("keeps the refresh token where the server gives no other", async () => {
    server.trouble = says(200, JSON.stringify({ ...good, refresh_token: undefined }));
    const { credential } = await refreshSession(server.url, "od_refresh", never);
    expect(credential).toEqual({ token: "od_access", session: { refreshToken: "od_refresh" } });
  });

  test("a session that is over", async () => {
    server.trouble = says(401, told("auth_rejected", "The refresh token is not good any more"));
    await expect(refreshSession(server.url, "od_refresh", never)).rejects.toMatchObject({
      code: "auth_rejected",
      message: "The refresh token is not good any more",
    });
  });
});
