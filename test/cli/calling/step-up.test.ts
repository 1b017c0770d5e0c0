import { afterEach, beforeEach, expect, test } from "vitest";
import { stepUpOf } from "../../../src/cli/calling/step-up.ts";
import type { StepUp } from "../../../src/cli/calling/step-up.ts";
import type { OAuthGrant } from "../../../src/oauth/oauth.ts";
import { Bench } from "../auth/bench.ts";

const url = "https://mcp.example.com/mcp";
const client = {
  id: "robot",
  authentication: "client_secret_basic",
  secret: "s3cret-s3cret",
} as const;

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.remove());

async function stepUpFor(
  grant: Partial<OAuthGrant>,
  needed: readonly string[],
): Promise<StepUp | undefined> {
  const oauth: OAuthGrant = {
    type: "authorization_code",
    issuer: "https://id.example.com",
    tokenEndpoint: "https://id.example.com/token",
    resource: url,
    scope: "read",
    client: { id: "robot", authentication: "none" },
    ...grant,
  };
  const profile = await bench.save(url, { name: "work" }, { token: "of-oauth", oauth });
  const { context, dependencies } = bench;
  const options = { cacert: "ca.pem" };
  return stepUpOf(profile, needed, options, context, dependencies);
}

async function hintFor(grant: Partial<OAuthGrant>): Promise<string | undefined> {
  return (await stepUpFor(grant, ["write"]))?.hint;
}

const login = `agent auth login --url ${url} --profile work --cacert ca.pem`;

test("by the browser: the whole command, for this profile at its own address", async () => {
  expect(await hintFor({})).toBe(
    `${login} --web --scope 'read write' --issuer https://id.example.com`,
  );
});

test("a client with a secret: it comes on stdin, as nobody knows of a file", async () => {
  const hint = await hintFor({ type: "client_credentials", client });
  expect(hint).toMatch(/^printf '%s\\n' "\$CLIENT_SECRET" \| agent auth login /u);
  expect(hint).toContain(`${login} --client-credentials --client-id robot`);
  expect(hint).toContain("--scope 'read write' --issuer https://id.example.com");
  expect(hint).not.toMatch(/s3cret|client-secret/u);
});

test("a client with a key: the key's file", async () => {
  const authentication = "private_key_jwt";
  const hint = await hintFor({
    type: "client_credentials",
    client: { id: "robot", authentication, keyFile: "/keys/robot.pem" },
  });
  expect(hint).toContain(
    `${login} --client-credentials --client-id robot --client-key /keys/robot.pem`,
  );
  expect(hint).not.toContain("printf");
});

test.each(["authorization_code", "device_code"] as const)(
  "%s: signs in at the profile's own issuer, for what is new and what there is",
  async (type) => {
    expect(await stepUpFor({ type }, ["write", "read", "write"])).toMatchObject({
      added: "write",
      scope: "read write",
      login: { scope: "read write", issuer: "https://id.example.com" },
    });
  },
);

test("more scopes than can be shown are not asked about", async () => {
  const many = ["a".repeat(150), "b".repeat(149), "delete-everything"];
  expect(await stepUpFor({}, many)).toMatchObject({
    login: undefined,
    hint: `It wants 3 scopes that the token has not, too long to show: ${login} --scope "<scopes>" asks for some`,
  });
  expect(await stepUpFor({}, many.slice(0, 2))).toMatchObject({ login: { web: true } });
});
