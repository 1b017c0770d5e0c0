import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { oauthDependencies } from "../../../src/cli/sign-in/oauth-dependencies.ts";
import { AppError } from "../../../src/core/errors.ts";
import type { GrantedToken, SignInTarget } from "../../../src/oauth/oauth.ts";
import { Bench } from "./bench.ts";
import { loginOn } from "./support/login-on.ts";

const url = "https://mcp.example.com/tenant-a/mcp";
const issuer = "https://id.example.com";
const offered: SignInTarget = {
  server: {
    issuer,
    tokenEndpoint: `${issuer}/token`,
    authorizationEndpoint: `${issuer}/authorize`,
    issParameterSupported: true,
    tokenEndpointAuthMethods: undefined,
    scopesSupported: undefined,
    grantTypesSupported: undefined,
  },
  resource: url,
  scope: undefined,
};
const granted: GrantedToken = {
  accessToken: "of-oauth",
  grant: {
    type: "client_credentials",
    issuer,
    tokenEndpoint: `${issuer}/token`,
    resource: url,
    client: { id: "ci", authentication: "none" },
  },
};

let bench: Bench;
let resource: string;
let answer: () => Promise<GrantedToken>;
/** Of each way that was gone, what was said before. */
let gone: string[][];

beforeEach(() => {
  bench = new Bench();
  resource = url;
  answer = () => Promise.resolve(granted);
  gone = [];
  const by = (): Promise<GrantedToken> => {
    gone.push([...bench.notes]);
    return answer();
  };
  bench.dependencies.waysIn = {
    ...bench.dependencies.waysIn,
    find: () => Promise.resolve({ ...offered, resource }),
    web: by,
    device: by,
    clientCredentials: by,
  };
  bench.doors[url] = { kind: "mcp", ways: ["token"], tokens: { "of-oauth": "ann" } };
});
afterEach(() => bench.remove());

describe("what the token is for", () => {
  test.each([
    ["https://mcp.example.com", "https://mcp.example.com"],
    ["https://mcp.example.com/", "https://mcp.example.com"],
    ["https://mcp.example.com/tenant-a", "https://mcp.example.com/tenant-a"],
  ])("is said before anything opens where it is more than the server: %s", async (at, said) => {
    resource = at;
    await loginOn(bench, { url, web: true });
    expect(gone).toEqual([[`The token will be good for all of ${said}`]]);
  });

  test.each([url, `${url}/`])("is not said where it is the server's own: %s", async (at) => {
    resource = at;
    await loginOn(bench, { url, web: true });
    expect(gone).toEqual([[]]);
  });
});

test.each([{ web: true }, { device: true }])(
  "a sign-in that was refused: %j tries again",
  async (flags) => {
    const message = "id.example.com refused the sign-in: access_denied";
    answer = () => Promise.reject(new AppError("auth_rejected", message));
    await expect(loginOn(bench, { url, profile: "work", ...flags })).rejects.toMatchObject({
      message: `${message}; nothing saved`,
      hint: `agent auth login --url ${url} --profile work --${Object.keys(flags)[0] ?? ""}`,
    });
  },
);

test("a hint that says more stays", async () => {
  const hint = "Check --client-id and the secret";
  answer = () => Promise.reject(new AppError("auth_rejected", "No", { hint }));
  await expect(loginOn(bench, { url, web: true })).rejects.toMatchObject({ hint });
});

describe("a client's key", () => {
  const publicKey = String(
    generateKeyPairSync("ed25519").publicKey.export({ format: "pem", type: "spki" }),
  );

  test.each([
    ["is not there", undefined, /^There is no file .*key\.pem with the private key$/u],
    ["is none", publicKey, /holds no private key that can be used here/u],
  ])("that %s fails before anything is said or asked", async (_what, text, message) => {
    const clientKey = join(bench.folder, "key.pem");
    if (text !== undefined) writeFileSync(clientKey, text, { mode: 0o644 });
    resource = "https://mcp.example.com";
    bench.dependencies.waysIn.find = () => Promise.reject(new Error("it was looked for"));
    const login = loginOn(bench, { url, clientCredentials: true, clientId: "ci", clientKey });
    await expect(login).rejects.toMatchObject({
      code: "usage",
      message: expect.stringMatching(message),
    });
    expect(gone).toEqual([]);
    expect(bench.notes).toEqual([]);
  });

  test("that others can read is warned about once it is read", async () => {
    const file = join(bench.folder, "key.pem");
    const { readKey } = oauthDependencies(bench.context);
    writeFileSync(file, publicKey, { mode: 0o644 });
    await expect(readKey(file)).rejects.toMatchObject({ code: "usage" });
    expect(bench.notes).toEqual([]);
    const { privateKey } = generateKeyPairSync("ed25519");
    writeFileSync(file, privateKey.export({ format: "pem", type: "pkcs8" }));
    await readKey(file);
    expect(bench.notes).toEqual([
      `Others can read or change the private key in ${file}: chmod 600 closes it`,
    ]);
  });
});
