import { afterEach, beforeEach, expect, test } from "vitest";
import type { ClientChoice } from "../../../src/cli/sign-in/ways-in.ts";
import type { GrantedToken, OAuthGrant } from "../../../src/oauth/oauth.ts";
import { Bench } from "./bench.ts";
import { loginOn } from "./support/login-on.ts";

const url = "https://mcp.example.com";
const issuer = "https://id.example.com";
const grant: OAuthGrant = {
  type: "client_credentials",
  issuer,
  tokenEndpoint: `${issuer}/token`,
  resource: url,
  client: { id: "ci", authentication: "client_secret_basic", secret: "secret-of-ci" },
};

let bench: Bench;
/** The issuers that were looked for, and the clients of earlier sign-ins that were handed on. */
let looked: (string | undefined)[];
let kept: ClientChoice["kept"][];

beforeEach(() => {
  bench = new Bench();
  looked = [];
  kept = [];
  const by = (_target: unknown, choice: ClientChoice): Promise<GrantedToken> => {
    kept.push(choice.kept);
    return Promise.resolve({ accessToken: "of-oauth", grant });
  };
  const { waysIn } = bench.dependencies;
  bench.dependencies.waysIn = {
    ...waysIn,
    find(_endpoint, _challenge, _context, only) {
      looked.push(only);
      return Promise.resolve({
        server: {
          issuer: only ?? issuer,
          tokenEndpoint: `${issuer}/token`,
          authorizationEndpoint: `${issuer}/authorize`,
          issParameterSupported: true,
          tokenEndpointAuthMethods: undefined,
          scopesSupported: undefined,
          grantTypesSupported: undefined,
        },
        resource: url,
        scope: undefined,
      });
    },
    web: by,
    device: by,
    clientCredentials: by,
  };
  bench.doors[url] = { kind: "mcp", ways: ["token"], tokens: { "of-oauth": "ci" } };
});
afterEach(() => bench.remove());

test.each([{ web: true }, { device: true }, { clientCredentials: true, clientId: "ci" }])(
  "%j: the issuer that was named is the one that is looked for",
  async (flags) => {
    bench.pipe("secret-of-ci\n");
    await loginOn(bench, { url, ...flags, issuer });
    expect(looked).toEqual([issuer]);
  },
);

test("an earlier client is handed on, unless it belongs to another issuer than the one named", async () => {
  await loginOn(bench, { url, web: true });
  await loginOn(bench, { url, web: true });
  await loginOn(bench, { url, web: true, issuer });
  await loginOn(bench, { url, web: true, issuer: "https://new.example.com" });
  const earlier = { issuer, client: grant.client };
  expect(kept).toEqual([undefined, earlier, earlier, undefined]);
});
