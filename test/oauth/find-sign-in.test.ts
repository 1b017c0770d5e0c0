import { describe, expect, test } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { findSignIn } from "../../src/oauth/find-sign-in.ts";
import type { OAuthAnswer } from "../../src/oauth/oauth.ts";
import { answersFrom, createDependencies, failureOf } from "./oauth-dependencies.ts";

const endpoint = "https://mcp.example/a/mcp";
const prm = "https://mcp.example/.well-known/oauth-protected-resource/a/mcp";
const rootPrm = "https://mcp.example/.well-known/oauth-protected-resource";
const issuer = "https://login.example";
const metadata = `${issuer}/.well-known/oauth-authorization-server`;

type Answers = Record<string, Partial<OAuthAnswer> | object>;

function serverAt(at = issuer, changes: object = {}): object {
  return {
    issuer: at,
    authorization_endpoint: `${at}/authorize`,
    token_endpoint: `${at}/token`,
    response_types_supported: ["code"],
    code_challenge_methods_supported: ["S256"],
    ...changes,
  };
}

function resourceAt(resource = endpoint, changes: object = {}): object {
  return { resource, authorization_servers: [issuer], ...changes };
}

async function find(answers: Answers, challenge = {}, at = endpoint, only?: string) {
  const deps = createDependencies({ ask: answersFrom(answers) });
  const target = await findSignIn(at, challenge, deps, only);
  return { target, asked: deps.asked.map(({ url }) => url) };
}

async function refusalOf(
  answers: Answers,
  challenge = {},
  at = endpoint,
  only?: string,
): Promise<AppError> {
  const failure = await failureOf(find(answers, challenge, at, only));
  if (!(failure instanceof AppError)) throw failure;
  return failure;
}

const answersWith = (server: object): Answers => ({ [prm]: resourceAt(), [metadata]: server });

describe("where a server says to sign in", () => {
  test("is where its challenge says, and nowhere else is asked", async () => {
    const named = "https://mcp.example/custom.json";
    const { target, asked } = await find(
      { [named]: resourceAt(), [metadata]: serverAt() },
      { resourceMetadata: named },
    );
    expect(target).toMatchObject({ server: { issuer, takesS256: true }, resource: endpoint });
    expect(target?.scope).toBeUndefined();
    expect(asked).toEqual([named, metadata]);
  });

  test("is at the well-known address of its path, else of its origin", async () => {
    expect((await find({ [prm]: resourceAt(), [metadata]: serverAt() })).asked).toEqual([
      prm,
      metadata,
    ]);
    const { target, asked } = await find({
      [rootPrm]: resourceAt("https://mcp.example"),
      [metadata]: serverAt(),
    });
    expect(asked).toEqual([prm, rootPrm, metadata]);
    expect(target?.resource).toBe("https://mcp.example");
  });

  test("is looked for at the well-known addresses when there is nothing where the challenge says", async () => {
    const { asked } = await find(
      { [prm]: resourceAt(), [metadata]: serverAt() },
      { resourceMetadata: "https://mcp.example/gone" },
    );
    expect(asked).toEqual(["https://mcp.example/gone", prm, metadata]);
  });

  test("is found by issuers with a path: RFC 8414, then OpenID Connect both ways", async () => {
    const tenant = `${issuer}/tenant1`;
    const { target, asked } = await find({
      [prm]: resourceAt(endpoint, { authorization_servers: [tenant] }),
      [`${tenant}/.well-known/openid-configuration`]: serverAt(tenant),
    });
    expect(target?.server.issuer).toBe(tenant);
    expect(asked.slice(1)).toEqual([
      `${issuer}/.well-known/oauth-authorization-server/tenant1`,
      `${issuer}/.well-known/openid-configuration/tenant1`,
      `${tenant}/.well-known/openid-configuration`,
    ]);
  });

  test("is the first authorization server that works", async () => {
    const servers = ["https://down.example", "https://lies.example", "ftp://x", issuer];
    const { target } = await find({
      [prm]: resourceAt(endpoint, { authorization_servers: servers }),
      "https://down.example/.well-known/oauth-authorization-server": { status: 500 },
      "https://lies.example/.well-known/oauth-authorization-server":
        serverAt("https://other.example"),
      [metadata]: serverAt(),
    });
    expect(target?.server.issuer).toBe(issuer);
  });

  test("is its own origin when it has no metadata as a resource (2025-03-26)", async () => {
    const { target } = await find({
      "https://mcp.example/.well-known/oauth-authorization-server": serverAt("https://mcp.example"),
    });
    expect(target).toMatchObject({ server: { issuer: "https://mcp.example" }, resource: endpoint });
  });

  test.each([
    ["nothing anywhere", {}],
    ["a page for people everywhere", { [prm]: { body: "<html>" }, [rootPrm]: { body: "[1]" } }],
    ["trouble where nobody said that there is something", { [prm]: { status: 500 } }],
    ["a redirect there", { [prm]: { status: 302 } }],
  ])("is nowhere: %s", async (_name, answers) => {
    expect((await find(answers)).target).toBeUndefined();
  });
});

describe("where only one issuer may be used", () => {
  const other = "https://other.example";

  test("it is taken out of several, and the others are not asked", async () => {
    const { target, asked } = await find(
      {
        [prm]: resourceAt(endpoint, { authorization_servers: [other, issuer] }),
        [`${other}/.well-known/oauth-authorization-server`]: serverAt(other),
        [metadata]: serverAt(),
      },
      {},
      endpoint,
      issuer,
    );
    expect(target?.server.issuer).toBe(issuer);
    expect(asked).toEqual([prm, metadata]);
  });

  test.each([
    ["another one", [other], `"${other}"`],
    ["it with a slash", [`${issuer}/`], `"${issuer}/"`],
    ["several others", [other, "https://third.example"], `"${other}" and 1 more`],
  ])("%s is refused before anything is sent there", async (_name, servers, named) => {
    const answers = { [prm]: resourceAt(endpoint, { authorization_servers: servers }) };
    expect(await refusalOf(answers, {}, endpoint, issuer)).toMatchObject({
      code: "auth_rejected",
      message: `mcp.example sends to ${named} to sign in, not to "${issuer}"`,
    });
  });

  test("a server that is its own authorization server is another one", async () => {
    const own = "https://mcp.example";
    const answers = { [metadata.replace(issuer, own)]: serverAt(own) };
    expect(await refusalOf(answers, {}, endpoint, issuer)).toMatchObject({
      message: `mcp.example sends to "${own}" to sign in, not to "${issuer}"`,
    });
    expect((await find(answers, {}, endpoint, own)).target?.server.issuer).toBe(own);
  });
});

describe("a server that cannot be believed is refused", () => {
  test.each([
    ["another host", "https://evil.example/a/mcp"],
    ["another scheme", "http://mcp.example/a/mcp"],
    ["another port", "https://mcp.example:8443/a/mcp"],
    ["half a segment", "https://mcp.example/a/m"],
    ["a path below", "https://mcp.example/a/mcp/x"],
    ["another query", "https://mcp.example/a/mcp?tenant=2"],
    ["a fragment", "https://mcp.example/a/mcp#x"],
    ["credentials", "https://u:p@mcp.example/a/mcp"],
    ["no URL", "urn:mcp"],
  ])("for a resource of %s", async (_name, resource) => {
    const failure = await refusalOf({ [prm]: resourceAt(resource), [metadata]: serverAt() });
    expect(failure.code).toBe("auth_rejected");
    expect(failure.message).toContain("another server");
  });

  test.each([
    ["https://mcp.example/a/mcp/"],
    ["https://mcp.example/a"],
    ["https://mcp.example/"],
    ["https://mcp.example"],
  ])("and not for %s, sent to the letter", async (resource) => {
    const { target } = await find({ [prm]: resourceAt(resource), [metadata]: serverAt() });
    expect(target?.resource).toBe(resource);
  });

  test.each([
    ["another issuer", serverAt("https://attacker.example")],
    ["an issuer that is the same only when it is tidied up", serverAt(`${issuer}/`)],
    ["no issuer", serverAt(issuer, { issuer: undefined })],
    ["an issuer that is no text", serverAt(issuer, { issuer: 7 })],
    ["no token endpoint", serverAt(issuer, { token_endpoint: undefined })],
    ["an endpoint that is no text", serverAt(issuer, { token_endpoint: ["x"] })],
    ["plain http", serverAt(issuer, { token_endpoint: "http://login.example/token" })],
    ["another scheme", serverAt(issuer, { authorization_endpoint: "javascript:alert(1)" })],
    ["a file", serverAt(issuer, { registration_endpoint: "file:///etc/passwd" })],
    ["this machine", serverAt(issuer, { token_endpoint: "http://127.0.0.1:9200/x" })],
    ["credentials", serverAt(issuer, { revocation_endpoint: "https://a:b@login.example/" })],
    ["no PKCE", serverAt(issuer, { code_challenge_methods_supported: undefined })],
    ["plain PKCE", serverAt(issuer, { code_challenge_methods_supported: ["plain"] })],
  ])("for %s", async (_name, server) => {
    expect((await refusalOf(answersWith(server))).code).toBe("auth_rejected");
  });

  test.each([["http://login.example"], ["http://127.0.0.1:1"], ["no url"]])(
    "for an authorization server at %s",
    async (at) => {
      const answers = { [prm]: resourceAt(endpoint, { authorization_servers: [at] }) };
      expect((await refusalOf(answers)).code).toBe("auth_rejected");
    },
  );

  test("for metadata elsewhere, unasked", async () => {
    const deps = createDependencies({ ask: answersFrom({}) });
    const challenge = { resourceMetadata: "http://169.254.169.254/latest" };
    const failure = await failureOf(findSignIn(endpoint, challenge, deps));
    expect(failure).toMatchObject({ code: "auth_rejected" });
    expect(deps.asked).toEqual([]);
  });

  test("in words that hold no long foreign text", async () => {
    const failure = await refusalOf(answersWith(serverAt(`https://${"x".repeat(9000)}.example`)));
    expect(failure.message.length).toBeLessThan(600);
  });

  test("with exit 3 when it has trouble of its own, and nothing else is named", async () => {
    expect((await refusalOf(answersWith({ status: 503 }))).code).toBe("unreachable");
  });

  test("not for the lack of PKCE when tokens come without codes", async () => {
    const { target } = await find(
      answersWith(
        serverAt(issuer, {
          code_challenge_methods_supported: undefined,
          grant_types_supported: ["client_credentials"],
        }),
      ),
    );
    expect(target?.server.takesS256).toBe(false);
  });
});

const scopeOf = async (
  challenge: object,
  resource: object,
  server: object = {},
): Promise<string | undefined> =>
  (
    await find(
      { [prm]: resourceAt(endpoint, resource), [metadata]: serverAt(issuer, server) },
      challenge,
    )
  ).target?.scope;

describe("what is asked for", () => {
  const supported = { scopes_supported: ["a", "b"] };
  const offline = { scopes_supported: ["a", "offline_access"] };

  test("is what the challenge says, else what the resource has, else nothing", async () => {
    expect(await scopeOf({ scope: " c  d c" }, supported)).toBe("c d");
    expect(await scopeOf({}, supported)).toBe("a b");
    expect(await scopeOf({}, {})).toBeUndefined();
    expect(await scopeOf({ scope: "" }, { scopes_supported: "a" })).toBeUndefined();
  });

  test("is a refresh token where the server has one to give, and only there", async () => {
    expect(await scopeOf({ scope: "c" }, {}, offline)).toBe("c offline_access");
    expect(await scopeOf({}, {}, offline)).toBeUndefined();
    expect(await scopeOf({ scope: "c offline_access" }, {}, supported)).toBe("c");
    const without = { ...offline, grant_types_supported: ["authorization_code"] };
    expect(await scopeOf({ scope: "c" }, {}, without)).toBe("c");
  });

  test("holds nothing that is no scope", async () => {
    const scopes = ["a", 'b"c', "d\u001b[31m", 7, null, "e f", ""];
    expect(await scopeOf({}, { scopes_supported: scopes })).toBe("a");
  });
});

test("the names of this machine are one server", async () => {
  const { target } = await find(
    {
      "http://127.0.0.1:3050/.well-known/oauth-protected-resource/mcp": resourceAt(
        "http://localhost:3050/mcp",
        { authorization_servers: ["http://localhost:4000"] },
      ),
      "http://localhost:4000/.well-known/openid-configuration": serverAt("http://localhost:4000"),
    },
    {},
    "http://127.0.0.1:3050/mcp",
  );
  expect(target?.resource).toBe("http://localhost:3050/mcp");
});
