import { describe, expect, test } from "vitest";
import { chooseClientAuthentication } from "../../src/oauth/choose-client-authentication.ts";
import { chooseClient } from "../../src/oauth/choose-client.ts";
import type { WantedClient } from "../../src/oauth/choose-client.ts";
import type { AuthorizationServer, OAuthAnswer, OAuthClient } from "../../src/oauth/oauth.ts";
import { createDependencies, failureOf } from "./oauth-dependencies.ts";

const server: AuthorizationServer = {
  issuer: "https://login.example",
  tokenEndpoint: "https://login.example/token",
  registrationEndpoint: "https://login.example/register",
  takesS256: true,
  issParameterSupported: false,
  tokenEndpointAuthMethods: undefined,
  scopesSupported: undefined,
  grantTypesSupported: undefined,
};
const wanted: WantedClient = {
  clientName: "Tested",
  redirectUri: "http://127.0.0.1:1/callback",
  grantTypes: ["authorization_code", "refresh_token"],
};

async function register(
  answer: Partial<OAuthAnswer> & { json?: unknown },
  changes: Partial<AuthorizationServer> = {},
) {
  const { json, ...rest } = answer;
  const deps = createDependencies({
    ask: () =>
      Promise.resolve({ status: 201, headers: {}, body: JSON.stringify(json ?? null), ...rest }),
  });
  const client = await chooseClient({ ...server, ...changes }, wanted, deps);
  return { client, deps, sent: JSON.parse(deps.asked[0]?.body ?? "null") };
}

describe("a client is registered", () => {
  test.each([
    [
      undefined,
      { client_id: "x", client_secret: "s" },
      "client_secret_basic",
      "client_secret_basic",
    ],
    [["none"], { client_id: "x" }, "none", "none"],
    // A secret without a use for it is not kept.
    [["none"], { client_id: "x", client_secret: "s" }, "none", "none"],
    [
      ["client_secret_post"],
      { client_id: "x", client_secret: "s" },
      "client_secret_post",
      "client_secret_post",
    ],
    [["private_key_jwt", "client_secret_basic"], { client_id: "x" }, "client_secret_basic", "none"],
    [
      ["client_secret_basic"],
      { client_id: "x", client_secret: "s", token_endpoint_auth_method: "client_secret_post" },
      "client_secret_basic",
      "client_secret_post",
    ],
    [
      ["client_secret_basic"],
      { client_id: "x", token_endpoint_auth_method: "none" },
      "client_secret_basic",
      "none",
    ],
  ])("at a server that takes %j and says %j", async (methods, json, asked, expected) => {
    const { client, deps, sent } = await register({ json }, { tokenEndpointAuthMethods: methods });
    expect(sent.token_endpoint_auth_method).toBe(asked);
    expect(client).toEqual({
      id: "x",
      authentication: expected,
      registered: true,
      ...(expected !== "none" && { secret: "s" }),
    });
    expect(deps.learnt).toEqual("client_secret" in json ? ["s"] : []);
  });

  test("without refresh tokens where there are none", async () => {
    const json = { client_id: "x" };
    const { sent } = await register({ json }, { grantTypesSupported: ["authorization_code"] });
    expect(sent.grant_types).toEqual(["authorization_code"]);
  });

  test.each([
    [{ json: null }],
    [{ json: {} }],
    [{ json: { client_id: "" } }],
    [{ json: { client_id: 7 } }],
    [{ json: { client_id: "a\u001b[31m" } }],
    [{ json: { client_id: "x", token_endpoint_auth_method: "tls_client_auth" } }],
    [{ json: { client_id: "x", token_endpoint_auth_method: "client_secret_basic" } }],
    [{ body: "<html>" }],
    [{ status: 403, body: "" }],
    [{ status: 400, json: { error: "invalid_client_metadata", error_description: "no" } }],
  ])("and not by the answer %j", async (answer) => {
    expect(await failureOf(register(answer))).toMatchObject({ code: "auth_rejected" });
  });

  test.each([
    [{ status: 400, json: { error: "invalid_redirect_uri" } }],
    [{ status: 403, body: "" }],
  ])("by hand where %j is the answer: that is said", async (answer) => {
    expect(await failureOf(register(answer))).toMatchObject({
      message: expect.stringContaining("did not register this client"),
      hint: expect.stringContaining("--client-id"),
    });
  });

  test("later, when the server has trouble", async () => {
    expect(await failureOf(register({ status: 503 }))).toMatchObject({ code: "unreachable" });
  });

  test.each([
    [{ registrationEndpoint: undefined }],
    [{ tokenEndpointAuthMethods: ["private_key_jwt"] }],
  ])("by hand where the server has %j", async (changes) => {
    expect(await failureOf(register({}, changes))).toMatchObject({
      code: "usage",
      message: expect.stringContaining("registered with it beforehand"),
      hint: expect.stringContaining("--client-id"),
    });
  });

  test("not at all without PKCE", async () => {
    const deps = createDependencies();
    const chosen = chooseClient({ ...server, takesS256: false }, wanted, deps);
    expect(await failureOf(chosen)).toMatchObject({ code: "auth_rejected" });
    expect(deps.asked).toEqual([]);
  });
});

describe("a client that there is", () => {
  const given: OAuthClient = { id: "given", authentication: "none", secret: "given-secret" };
  const kept = { issuer: server.issuer, client: { ...given, id: "kept", secret: "kept-secret" } };

  test("is the one that was given, before the one that was kept", async () => {
    const deps = createDependencies();
    const client = await chooseClient(server, { ...wanted, given, kept }, deps);
    expect(client).toEqual({ ...given, authentication: "client_secret_basic" });
    expect(await chooseClient(server, { ...wanted, kept }, deps)).toEqual(kept.client);
    expect(deps.learnt).toEqual(["given-secret", "kept-secret"]);
    expect(deps.asked).toEqual([]);
  });

  test.each([
    [{}, undefined, "none"],
    [{ secret: "s" }, undefined, "client_secret_basic"],
    [{ secret: "s" }, ["client_secret_post", "client_secret_basic"], "client_secret_basic"],
    [{ secret: "s" }, ["none", "client_secret_post"], "client_secret_post"],
    [{ secret: "s" }, ["none"], "none"],
    [{ secret: "s" }, ["private_key_jwt"], "client_secret_basic"],
    [{ keyFile: "k" }, ["client_secret_basic"], "private_key_jwt"],
  ])("of %j shows itself to a server that takes %j by %s", (client, methods, expected) => {
    expect(chooseClientAuthentication(client, methods)).toBe(expected);
  });
});

test("a client of an earlier sign-in is not shown to another issuer", async () => {
  const given: OAuthClient = { id: "ci", authentication: "client_secret_basic", secret: "s" };
  const choose = (kept: WantedClient["kept"]): Promise<OAuthClient> =>
    chooseClient(server, { ...wanted, given, kept }, createDependencies());
  const elsewhere = "https://earlier.example";
  expect(await failureOf(choose({ issuer: elsewhere, client: given }))).toMatchObject({
    code: "auth_rejected",
    message: `This client was signed in at "${elsewhere}", and the server names "${server.issuer}" now`,
    hint: "Where that is right: agent auth logout first, or name it with --issuer",
  });
  const other = { issuer: elsewhere, client: { ...given, id: "other" } };
  expect(await choose(other)).toMatchObject({ id: "ci" });
  expect(await choose({ issuer: server.issuer, client: given })).toMatchObject({ id: "ci" });
});
