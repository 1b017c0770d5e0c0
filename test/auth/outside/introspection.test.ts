import { describe, expect, test } from "vitest";
import { says } from "../../fixtures/auth-server.ts";
import type { Trouble } from "../../fixtures/auth-server.ts";
import { accepted, openIntrospection } from "./support/remote.ts";

const active = { active: true, sub: "ada", token_type: "Bearer" };

/** What comes of a token of which the server says this. */
async function shown(
  said: Record<string, unknown>,
  options: Parameters<typeof openIntrospection>[0] = {},
) {
  const opened = await openIntrospection(options);
  opened.server.tokens.set("t", said);
  return { ...opened, answer: await opened.authenticator.authenticate({ bearer: "t" }) };
}

describe("a token that is active", () => {
  test("lets its user in, with the scopes that mean something here, until it expires", async () => {
    const { server, answer, clock } = await shown({
      ...active,
      scope: "openid role:viewer server:files",
      exp: 1_800_000_060,
      aud: "whoever",
    });
    expect(accepted(answer)).toMatchObject({
      userId: "ada",
      role: "viewer",
      scopes: ["role:viewer", "server:files"],
      method: "bearer",
      expiresAtMs: clock.ms + 60_000,
    });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({
      method: "POST",
      path: "/introspect",
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: "token=t&token_type_hint=access_token",
    });
  });

  test("is limited by scp as well, where the server has it", async () => {
    const said = { ...active, scope: "server:files", scp: ["role:viewer"] };
    const mapping = { role: "admin" as const };
    expect(accepted((await shown(said, { mapping })).answer)).toMatchObject({
      role: "viewer",
      scopes: ["server:files", "role:viewer"],
    });
  });

  test("is vouched for by the issuer, or else by the endpoint", async () => {
    const issuer = "https://issuer.example";
    const { answer } = await shown({ ...active, iss: issuer }, { server: { issuer } });
    expect(accepted(answer).issuer).toBe(issuer);
    const other = await shown(active);
    expect(accepted(other.answer).issuer).toBe(other.server.introspectionUrl);
  });

  test("lets its user in however deep what is said of it is", async () => {
    const { server, authenticator } = await openIntrospection();
    const deep = `${"[".repeat(15_000)}${"]".repeat(15_000)}`;
    server.trouble = says(200, `{"active":true,"sub":"ada","ext":${deep}}`);
    expect(accepted(await authenticator.authenticate({ bearer: "t" })).userId).toBe("ada");
  });

  test("is sent so that nothing of it is a form's or an address's", async () => {
    const { server, authenticator } = await openIntrospection();
    const bearer = "a+b/c~d.e-f==";
    server.tokens.set(bearer, active);
    accepted(await authenticator.authenticate({ bearer }));
    expect(server.requests[0]?.path).toBe("/introspect");
  });

  test("is asked for once by a hundred requests", async () => {
    const { server, authenticator } = await openIntrospection();
    server.tokens.set("t", active);
    await Promise.all(
      Array.from({ length: 100 }, () => authenticator.authenticate({ bearer: "t" })),
    );
    expect(server.requests).toHaveLength(1);
  });

  test("lacks a scope that the gateway wants: which, is told", async () => {
    const mapping = { requiredScopes: ["gateway", "tools"] };
    const { answer } = await shown({ ...active, scope: "gateway" }, { mapping });
    expect(answer).toEqual({ kind: "insufficient", scopes: ["gateway", "tools"] });
    const scopes = ["gateway", "tools"];
    accepted((await shown({ ...active, scope: scopes }, { mapping })).answer);
  });
});

describe("nobody is let in", () => {
  const audience = ["https://gateway.example/mcp"];
  const issuer = "https://issuer.example";
  test.each<[string, Record<string, unknown>, Parameters<typeof shown>[1], string]>([
    ["with a token that is not active", { active: false }, {}, "not-mine"],
    ["… whatever else is said of it", { ...active, active: false }, {}, "not-mine"],
    ["past its end", { ...active, exp: 1_800_000_000 }, {}, "rejected"],
    ["before its beginning", { ...active, nbf: 1_800_000_061 }, {}, "rejected"],
    ["for another audience", { ...active, aud: "other" }, { server: { audience } }, "rejected"],
    ["for no audience", active, { server: { audience } }, "rejected"],
    ["of another issuer", { ...active, iss: `${issuer}/` }, { server: { issuer } }, "not-mine"],
    ["of none that is said", active, { server: { issuer } }, "not-mine"],
    [
      "of another than oauth's",
      { ...active, iss: "x" },
      { type: "oauth", server: { issuer } },
      "not-mine",
    ],
    ["bound to a key", { ...active, cnf: { jkt: "x" } }, {}, "rejected"],
    ["of type DPoP", { ...active, token_type: "DPoP" }, {}, "rejected"],
    ["of a type that is none", { ...active, token_type: 7 }, {}, "rejected"],
    ["with a refresh token", { ...active, token_use: "refresh_token" }, {}, "rejected"],
    ["with Keycloak's refresh token", { ...active, typ: "Refresh" }, {}, "rejected"],
    ["with an ID token", { ...active, typ: "ID" }, {}, "rejected"],
    ["with scopes that cannot be read", { ...active, scope: { a: "role:viewer" } }, {}, "rejected"],
    ["with a scope that is a number", { ...active, scope: ["role:viewer", 7] }, {}, "rejected"],
    ["with scp that cannot be read", { ...active, scope: "a", scp: {} }, {}, "rejected"],
    ["with an end that is a text", { ...active, exp: "1800000060" }, {}, "rejected"],
    ["with a beginning that is a text", { ...active, nbf: "1" }, {}, "rejected"],
    ["with a token of nobody", { active: true }, {}, "rejected"],
    ["with a number for a user", { active: true, sub: 7 }, {}, "rejected"],
  ])("%s", async (_name, said, options, kind) => {
    expect((await shown(said, options)).answer.kind).toBe(kind);
  });

  test.each<[string, Record<string, unknown>, Parameters<typeof shown>[1]]>([
    ["within the clocks' difference", { ...active, nbf: 1_800_000_060 }, {}],
    ["for one of the audiences", { ...active, aud: ["x", audience[0]] }, { server: { audience } }],
    ["of the issuer", { ...active, iss: issuer }, { server: { issuer } }],
    ["of oauth's issuer, unsaid", active, { type: "oauth", server: { issuer } }],
    ["of no type", { active: true, sub: "ada" }, {}],
  ])("but %s", async (_name, said, options) => {
    expect(accepted((await shown(said, options)).answer).userId).toBe("ada");
  });

  test("and nothing is sent, without a token, with one of the gateway's, or with no bearer's form", async () => {
    const { server, authenticator } = await openIntrospection();
    expect(await authenticator.authenticate({})).toEqual({ kind: "absent" });
    const longest = "x".repeat(16 * 1024);
    for (const bearer of [`od_${"a".repeat(43)}`, "od_", "", "a b", "a\nb", "ä", `${longest}x`]) {
      expect(await authenticator.authenticate({ bearer })).toEqual({ kind: "not-mine" });
    }
    expect(server.requests).toHaveLength(0);
    await authenticator.authenticate({ bearer: longest });
    expect(server.requests).toHaveLength(1);
  });

  test("where the server looks into no such token, which is no trouble of the server's", async () => {
    const { server, authenticator, lines } = await openIntrospection();
    server.trouble = says(400, '{"error":"unsupported_token_type"}');
    await expect(authenticator.authenticate({ bearer: "t" })).resolves.toMatchObject({
      kind: "not-mine",
    });
    expect(lines).toStrictEqual([]);
  });

  test("once it was revoked and what was known is old", async () => {
    const { server, authenticator, clock } = await shown(active);
    server.tokens.delete("t");
    clock.ms += 29_999;
    accepted(await authenticator.authenticate({ bearer: "t" }));
    clock.ms += 1;
    await expect(authenticator.authenticate({ bearer: "t" })).resolves.toMatchObject({
      kind: "not-mine",
    });
  });
});

describe("while the endpoint is in trouble", () => {
  test.each<[string, Trouble]>([
    ["hangs", { kind: "hangs" }],
    ["drips", { kind: "drips" }],
    ["resets", { kind: "resets" }],
    ["breaks off", { kind: "breaks off" }],
    ["answers garbage", says(200, "{")],
    ["answers no object", says(200, "true")],
    ["answers without active", says(200, '{"sub":"ada"}')],
    ["answers active in words", says(200, '{"active":"true","sub":"ada"}')],
    ["answers HTML", says(200, "<html></html>")],
    ["answers too much", says(200, `{"active":true,"x":"${"x".repeat(70_000)}"}`)],
    ["redirects", says(307, "", { location: "/introspect" })],
    ["has too many requests", says(429, "{}")],
    ["fails", says(500, '{"active":false}')],
    ["is starting", says(503, "")],
    ["is not there", says(404, "{}")],
    ["understands nothing", says(400, '{"error":"invalid_request"}')],
    ["answers twice as well", says(201, '{"active":true,"sub":"ada"}')],
  ])("that it %s, nobody is let in, and that is said once", async (_name, trouble) => {
    const { server, authenticator, lines, clock } = await openIntrospection({
      limits: { timeoutMs: 300 },
    });
    server.tokens.set("t", active);
    accepted(await authenticator.authenticate({ bearer: "t" }));
    clock.ms += 30_000;
    server.trouble = trouble;
    for (const bearer of ["t", "t", "u"]) {
      const answer = await authenticator.authenticate({ bearer });
      expect(answer.kind).toBe("unavailable");
    }
    expect(lines.map(({ level }) => level)).toEqual(["warn"]);
  });

  test("because our own credentials are wrong, that is an error of the operator's, told once", async () => {
    const { server, authenticator, lines } = await openIntrospection({
      server: { clientSecret: "wr0ng" },
    });
    server.tokens.set("t", active);
    for (const bearer of ["t", "u", "v"]) {
      await expect(authenticator.authenticate({ bearer })).resolves.toEqual({
        kind: "unavailable",
        reason: "The introspection endpoint does not accept the gateway's client credentials",
      });
    }
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: "error", fields: { authServer: server.url } });
  });
});

describe("an endpoint that the issuer's metadata names", () => {
  test("is found there, and the answers are that issuer's without saying so", async () => {
    const { server, answer, authenticator } = await shown(active, {
      type: "oauth",
      isDiscovered: true,
    });
    expect(accepted(answer).method).toBe("oauth");
    await authenticator.authenticate({ bearer: "u" });
    expect(server.requests.map(({ path }) => path)).toEqual([
      "/.well-known/oauth-authorization-server",
      "/introspect",
      "/introspect",
    ]);
  });

  test("is not there: nobody is let in, and no token is sent", async () => {
    const { server, authenticator, lines } = await openIntrospection({ isDiscovered: true });
    server.metadata = { issuer: server.url };
    server.tokens.set("t", active);
    await expect(authenticator.authenticate({ bearer: "t" })).resolves.toMatchObject({
      kind: "unavailable",
    });
    expect(server.requests.every(({ method, body }) => method === "GET" && body === "")).toBe(true);
    expect(lines).toHaveLength(1);
  });
});

test("neither token nor client secret are in any log line, reason or address", async () => {
  const { server, authenticator, lines } = await openIntrospection({ limits: { timeoutMs: 300 } });
  const bearer = "very-s3cret-token";
  const said: unknown[] = [];
  const troubles: (Trouble | undefined)[] = [
    undefined,
    { kind: "hangs" },
    { kind: "resets" },
    ...[200, 401, 500].map((status) => ({
      kind: "says" as const,
      status,
      type: "text/plain",
      body: `${bearer} ${server.clientSecret}`,
    })),
  ];
  for (const trouble of troubles) {
    server.trouble = trouble;
    said.push(await authenticator.authenticate({ bearer: `${bearer}${said.length}` }));
  }
  await server.close();
  said.push(await authenticator.authenticate({ bearer }));
  const encoded = /^Basic (.+)$/.exec(server.requests[0]?.headers.authorization ?? "")?.[1] ?? "";
  expect(encoded).not.toBe("");
  const all = JSON.stringify([said, lines, server.requests.map(({ path }) => path)]);
  for (const secret of [bearer, server.clientSecret, encoded]) expect(all).not.toContain(secret);
});
