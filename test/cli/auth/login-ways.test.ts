import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientChoice, WebChoice } from "../../../src/cli/sign-in/ways-in.ts";
import { AppError } from "../../../src/core/errors.ts";
import type { GrantedToken, OAuthGrant, SignInTarget } from "../../../src/oauth/oauth.ts";
import { Bench, runtimeRecord } from "./bench.ts";
import { loginOn, sitAt } from "./support/login-on.ts";
import type { LoginFlags } from "./support/login-on.ts";

const url = "https://mcp.example.com";
const signIn: SignInTarget = {
  server: {
    issuer: "https://id.example.com",
    tokenEndpoint: "https://id.example.com/token",
    authorizationEndpoint: "https://id.example.com/authorize",
    issParameterSupported: true,
    tokenEndpointAuthMethods: undefined,
    scopesSupported: undefined,
    grantTypesSupported: undefined,
  },
  resource: `${url}/mcp`,
  scope: "read",
};
const grant: OAuthGrant = {
  type: "authorization_code",
  issuer: "https://id.example.com",
  tokenEndpoint: "https://id.example.com/token",
  resource: `${url}/mcp`,
  scope: "read",
  client: { id: "registered", authentication: "none" },
  refreshToken: "refresh-of-the-browser",
};

let bench: Bench;
/** What was asked of each way in. */
let asked: { way: string; target?: SignInTarget; choice: Partial<WebChoice> }[];
let offered: SignInTarget | undefined;

beforeEach(() => {
  bench = new Bench();
  asked = [];
  offered = signIn;
  const by =
    (way: string) =>
    (target: SignInTarget, choice: ClientChoice): Promise<GrantedToken> => {
      asked.push({ way, target, choice });
      const expiresAtMs = bench.nowMs + 3_600_000;
      return Promise.resolve({ accessToken: "of-oauth", expiresAtMs, grant });
    };
  bench.dependencies.waysIn = {
    find: () => Promise.resolve(offered),
    web: by("web"),
    device: by("device"),
    clientCredentials: by("client"),
    password: ({ url: serverUrl, email }) => {
      asked.push({ way: `password ${email ?? "asked"}`, choice: { serverUrl } });
      const credential = { token: "of-password", session: { refreshToken: "refresh-of-session" } };
      return Promise.resolve({ credential, expiresAtMs: bench.nowMs + 1_800_000 });
    },
  };
  bench.doors[url] = {
    kind: "mcp",
    ways: ["token"],
    tokens: { "of-oauth": "ann", "of-password": "ann" },
  };
});
afterEach(() => bench.remove());

const login = (flags: LoginFlags = {}): Promise<void> => loginOn(bench, { url, ...flags });
const sit = (): void => sitAt(bench);

describe("ways that the command line names", () => {
  test.each([
    ["web", { web: true }, "the browser"],
    ["device", { device: true }, "a device code"],
  ] as const)("--%s: stdin is not touched, all that renews is kept", async (way, flags, from) => {
    await login(flags);
    expect(asked).toEqual([
      {
        way,
        target: signIn,
        choice: expect.objectContaining({ serverUrl: url, given: undefined, kept: undefined }),
      },
    ]);
    expect(bench.stdout).toBe(
      `Signed in to ${url} as ann (admin), from ${from}; saved in ${join(bench.folder, "config", "secrets")}; expires 2026-11-21 11:00 UTC, renewed by itself\n`,
    );
    const [profile] = await bench.saved();
    expect(profile).toMatchObject({
      source: way,
      renews: true,
      issuer: "https://id.example.com",
      scope: "read",
    });
    const profiles = bench.dependencies.openProfiles(bench.context);
    expect(await profiles.credentialOf(profile!)).toEqual({ token: "of-oauth", oauth: grant });
  });

  test("--web asks nothing more, --scope and --callback-port go along", async () => {
    await login({ web: true, scope: "read write", callbackPort: 4321 });
    expect(asked[0]).toMatchObject({
      target: { scope: "read write", resource: signIn.resource },
      choice: { ask: false, callbackPort: 4321 },
    });
  });

  test("the client of an earlier profile is handed on with its issuer", async () => {
    await login({ web: true });
    await login({ web: true });
    expect(asked[1]?.choice.kept).toEqual({ issuer: grant.issuer, client: grant.client });
  });

  test("--client-id with a secret from a file, or a key, or neither", async () => {
    const file = join(bench.folder, "secret");
    writeFileSync(file, "the-client-secret\n");
    await login({ web: true, clientId: "mine", clientSecretFile: file });
    const keyFile = join(bench.folder, "key.pem");
    const { privateKey } = generateKeyPairSync("ed25519");
    writeFileSync(keyFile, privateKey.export({ format: "pem", type: "pkcs8" }));
    await login({ device: true, clientId: "mine", clientKey: keyFile });
    await login({ web: true, clientId: "https://me.example.com/client.json" });
    expect(asked.map(({ choice }) => choice.given)).toEqual([
      { id: "mine", authentication: "client_secret_basic", secret: "the-client-secret" },
      { id: "mine", authentication: "private_key_jwt", keyFile },
      { id: "https://me.example.com/client.json", authentication: "none" },
    ]);
    expect(bench.secrets.mask("the-client-secret")).toBe("****");
  });

  test.each([
    ["missing", "usage", /^There is no file .* with the client secret$/u],
    ["empty", "usage", /is empty or of several lines$/u],
    ["lines", "usage", /is empty or of several lines$/u],
    ["long", "usage", /is longer than 64 KiB$/u],
  ])("a client secret's file that is %s", async (name, code, message) => {
    writeFileSync(join(bench.folder, "empty"), "\n");
    writeFileSync(join(bench.folder, "lines"), "one\ntwo\n");
    writeFileSync(join(bench.folder, "long"), "x".repeat(70_000));
    const clientSecretFile = join(bench.folder, name);
    await expect(login({ web: true, clientId: "mine", clientSecretFile })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(asked).toEqual([]);
  });

  test("--client-credentials takes the secret from the first line of stdin", async () => {
    bench.pipe("the-client-secret\nmore\n");
    await login({ clientCredentials: true, clientId: "ci" });
    expect(asked).toMatchObject([
      { way: "client", choice: { given: { id: "ci", secret: "the-client-secret" } } },
    ]);
    expect((await bench.saved())[0]).toMatchObject({ source: "client", renews: true });
  });

  test("--client-credentials without a secret says where to put it", async () => {
    bench.pipe("");
    await expect(login({ clientCredentials: true, clientId: "ci" })).rejects.toMatchObject({
      code: "usage",
      message: "There is no client secret",
    });
    expect(bench.notes).toContain("stdin was empty: did the command before the pipe fail?");
  });

  test("--email, where the server takes it", async () => {
    bench.doors[url] = { ways: ["simple"], tokens: { "of-password": "ann" } };
    await login({ email: "ann@example.com" });
    expect(asked).toMatchObject([{ way: "password ann@example.com" }]);
    const [profile] = await bench.saved();
    expect(profile).toMatchObject({ source: "password", renews: true });
    expect(bench.stdout).toContain("from email and password");
  });

  test("--email, where it does not", async () => {
    await expect(login({ email: "ann@example.com" })).rejects.toMatchObject({
      code: "usage",
      message: `${url} takes no email and password`,
    });
  });

  test.each([{ web: true }, { device: true }, { clientCredentials: true, clientId: "ci" }])(
    "%j at a server without OAuth",
    async (flags) => {
      offered = undefined;
      await expect(login(flags)).rejects.toMatchObject({
        code: "usage",
        message: `${url} offers no sign-in by OAuth`,
      });
    },
  );

  test.each([
    { web: true },
    { device: true },
    { email: "a@b.c" },
    { clientCredentials: true, clientId: "ci" },
  ])("%j cannot be without asking the server", async (flags) => {
    await expect(login({ ...flags, noVerify: true })).rejects.toMatchObject({
      code: "usage",
      message: "--no-verify is for a token that is given, not for signing in",
    });
  });

  test("a gateway that does not offer OAuth is not searched for it", async () => {
    bench.doors[url] = { ways: ["token"] };
    await expect(login({ web: true })).rejects.toMatchObject({ code: "usage" });
    expect(asked).toEqual([]);
  });

  test("a token of the authorization server that its server refuses is not saved", async () => {
    await bench.save(url, {}, "earlier");
    bench.doors[url] = { kind: "mcp", ways: ["token"], tokens: {} };
    await expect(login({ web: true })).rejects.toMatchObject({ code: "auth_rejected" });
    expect(await bench.secretOf((await bench.saved())[0])).toBe("earlier");
  });
});

describe("where nobody says", () => {
  test("on a terminal the browser, after a question", async () => {
    sit();
    await login();
    expect(asked).toMatchObject([{ way: "web", choice: { ask: true } }]);
  });

  test("on a terminal the password, where there is no OAuth", async () => {
    sit();
    offered = undefined;
    bench.doors[url] = { ways: ["simple"], tokens: { "of-password": "ann" } };
    await login();
    expect(asked).toMatchObject([{ way: "password asked" }]);
  });

  test("the own gateway's token comes before any question", async () => {
    sit();
    bench.runGateway();
    bench.doors[runtimeRecord.url] = { ways: ["local", "oauth"] };
    await login({ url: undefined });
    expect(asked).toEqual([]);
    expect(bench.minted).toBe(1);
  });

  test.each([
    ["stdin is no terminal", (): void => void (bench.stdinIsTerminal = false)],
    ["stderr is no terminal", (): void => void (bench.terminal = false)],
    ["CI is set", (): void => void (bench.variables = { CI: "true" })],
  ])("no question where %s", async (_when, change) => {
    sit();
    change();
    await expect(login()).rejects.toMatchObject({ code: "usage", message: `No token for ${url}` });
    expect(asked).toEqual([]);
  });

  test("a search for OAuth that fails is what the person is told", async () => {
    sit();
    bench.dependencies.waysIn.find = () =>
      Promise.reject(new AppError("auth_rejected", "id.example.com names another issuer"));
    await expect(login()).rejects.toMatchObject({
      message: "id.example.com names another issuer; nothing saved",
    });
  });
});

test.each([{ web: true }, { device: true }])(
  "%j in a pipeline: nobody is waited for",
  async (flags) => {
    bench.variables = { CI: "true" };
    await expect(login(flags)).rejects.toMatchObject({ code: "usage" });
    expect(asked).toEqual([]);
  },
);

describe("what is not kept does not go on being good", () => {
  test("a grant whose token the server refuses is revoked, a session is ended", async () => {
    bench.doors[url] = { kind: "mcp", ways: ["token"], tokens: {} };
    await expect(login({ web: true })).rejects.toMatchObject({
      hint: expect.stringContaining("It came from id.example.com just now"),
    });
    bench.doors[url] = { ways: ["simple"], tokens: {} };
    await expect(login({ email: "ann@example.com" })).rejects.toMatchObject({
      code: "auth_rejected",
    });
    expect(bench.seen.filter(({ what }) => what.startsWith("revoke"))).toEqual([
      { what: "revoke grant", endpoint: "", token: "of-oauth" },
      { what: "revoke", endpoint: `${url}/`, token: "of-password" },
    ]);
  });

  test("a token that was given is the giver's business", async () => {
    bench.doors[url] = { ways: ["token"], tokens: {} };
    await expect(login({ token: "od_given_one" })).rejects.toMatchObject({ code: "auth_rejected" });
    expect(bench.seen.filter(({ what }) => what.startsWith("revoke"))).toEqual([]);
  });
});
