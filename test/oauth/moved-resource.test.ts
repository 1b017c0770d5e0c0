import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLogin } from "../../src/cli/commands/auth/login.ts";
import { signInByDevice } from "../../src/cli/sign-in/web/sign-in-by-device.ts";
import { findSignIn } from "../../src/oauth/find-sign-in.ts";
import { Bench } from "../cli/auth/bench.ts";
import { answersFrom, createDependencies } from "./oauth-dependencies.ts";
import type { TestedDependencies } from "./oauth-dependencies.ts";

// A resource that goes from one authorization server to another: what the first one knows is not shown to the second.

const url = "https://mcp.example.com";
const [before, after] = ["https://before.example", "https://after.example"];
let bench: Bench;
let deps: TestedDependencies;

function serverAt(issuer: string, changes: object = {}): Record<string, object> {
  return {
    [`${url}/.well-known/oauth-protected-resource`]: {
      resource: url,
      authorization_servers: [issuer],
    },
    [`${issuer}/.well-known/oauth-authorization-server`]: {
      issuer,
      token_endpoint: `${issuer}/token`,
      device_authorization_endpoint: `${issuer}/device`,
      registration_endpoint: `${issuer}/register`,
      code_challenge_methods_supported: ["S256"],
      token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
      ...changes,
    },
    [`${issuer}/register`]: { client_id: "new-there" },
    [`${issuer}/device`]: {
      device_code: "device",
      user_code: "ABCD-EFGH",
      verification_uri: `${issuer}/enter`,
    },
    [`${issuer}/token`]: { access_token: "of-oauth", token_type: "Bearer", refresh_token: "kept" },
  };
}

/** From now on the resource names this authorization server. */
function move(answers: Record<string, object>): void {
  deps = createDependencies({ ask: answersFrom(answers) });
}

beforeEach(async () => {
  bench = new Bench();
  bench.doors[url] = { kind: "mcp", ways: ["token"], tokens: { "of-oauth": "ann" } };
  bench.dependencies.waysIn = {
    ...bench.dependencies.waysIn,
    find: (endpoint, challenge) => findSignIn(endpoint, challenge, deps),
    device: (target, choice, context) => signInByDevice(target, choice, context, deps),
  };
  const file = join(bench.folder, "secret");
  writeFileSync(file, "secret-of-the-first\n");
  move(serverAt(before));
  await login({ clientId: "client-of-the-first", clientSecretFile: file });
});
afterEach(() => bench.remove());

async function login(flags: { clientId?: string; clientSecretFile?: string } = {}): Promise<void> {
  await bench.run(createLogin(bench.dependencies), {
    local: false,
    web: false,
    device: true,
    clientCredentials: false,
    stdinTimeout: 60,
    noVerify: false,
    insecureHttp: false,
    url,
    ...flags,
  });
}

/** All that was said to anybody since the move. */
function sent(): string {
  return deps.asked
    .map(({ url: to, headers, body = "" }) => `${to} ${JSON.stringify(headers)} ${body}`)
    .join("\n")
    .replaceAll(/Basic ([\w+/=]+)/gu, (_all, encoded: string) => atob(encoded));
}

async function keptGrant() {
  const [profile] = await bench.saved();
  return (await bench.dependencies.openProfiles(bench.context).credentialOf(profile!))?.oauth;
}

test("its client is used again while it stays", async () => {
  move(serverAt(before));
  await login();
  expect(sent()).toContain("client-of-the-first:secret-of-the-first");
  expect(sent()).not.toContain("/register");
});

test("at the next one another client is registered, and the first one is named nowhere", async () => {
  move(serverAt(after));
  await login();
  expect(sent()).toContain(`${after}/register`);
  expect(sent()).not.toContain("of-the-first");
  expect(sent()).not.toContain(before);
  expect(await keptGrant()).toMatchObject({ issuer: after, client: { id: "new-there" } });
});

test.each([
  ["that registers nobody", serverAt(after, { registration_endpoint: undefined })],
  [
    "that takes the first one's name with a slash more",
    {
      ...serverAt(`${before}/`),
      [`${before}/.well-known/oauth-authorization-server`]: {
        issuer: `${before}/`,
        token_endpoint: `${after}/token`,
        device_authorization_endpoint: `${after}/device`,
        code_challenge_methods_supported: ["S256"],
      },
    },
  ],
])("at one %s, signing in ends, and the profile stays", async (_name, answers) => {
  const earlier = await keptGrant();
  move(answers);
  await expect(login()).rejects.toMatchObject({
    code: "usage",
    hint: expect.stringContaining("--client-id"),
  });
  expect(sent()).not.toContain("of-the-first");
  expect(await keptGrant()).toEqual(earlier);
});
