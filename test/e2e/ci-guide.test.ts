import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { OidcProvider } from "../fixtures/start-oidc-provider.ts";
import { guideExamples } from "./ci/guide-examples.ts";
import { createPipeline } from "./ci/pipeline.ts";
import type { Pipeline, PipelineOptions } from "./ci/pipeline.ts";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { realServer, startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { startProtectedGateway, startSignInServer } from "./support/oauth-servers.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

const ciToken = "token-of-the-pipeline-0001";
const clientSecret = "secret-of-the-client-0002";
const secrets = [ciToken, clientSecret];
const mcpServers = { everything: realServer("everything") };

/** One gateway with a token for the pipeline, one that an authorization server stands before, one for everybody. */
let homes: Home[];
let gateway: RunningGateway;
let oauthGateway: RunningGateway;
let openGateway: RunningGateway;
let provider: OidcProvider;
let keyFile: string;
let pipeline: Pipeline;

beforeAll(async () => {
  homes = [createHome(), createHome(), createHome()];
  const [first, second, third] = homes;
  if (!first || !second || !third) throw new Error("no homes");
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  keyFile = join(first.folder, "client-key.pem");
  writeFileSync(keyFile, privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
  provider = await startSignInServer({
    clients: [
      { id: "ci", secret: clientSecret, claims: { role: "editor" } },
      {
        id: "ci-with-key",
        claims: { role: "editor" },
        metadata: {
          client_secret: undefined,
          token_endpoint_auth_method: "private_key_jwt",
          token_endpoint_auth_signing_alg: "ES256",
          jwks: { keys: [{ ...publicKey.export({ format: "jwk" }), alg: "ES256", use: "sig" }] },
        },
      },
    ],
  });
  const token = { type: "token", options: { tokens: [{ name: "ci", token: ciToken }] } };
  [gateway, oauthGateway, openGateway] = await Promise.all([
    startGateway(first, { mcpServers, auth: [{ type: "local" }, token] }),
    startProtectedGateway(second, provider.issuer, { configuration: { mcpServers } }),
    startGateway(third, { mcpServers, auth: { type: "none" } }),
  ]);
  await Promise.all(
    homes.map(async (home) => {
      const { code, stderr } = await runAgent(["wait"], { home });
      if (code !== 0) throw new Error(stderr);
    }),
  );
});
afterAll(async () => {
  await Promise.all([gateway, oauthGateway, openGateway].map((running) => running.stop()));
  await provider.stop();
  for (const home of homes) home.remove();
});
beforeEach(() => {
  pipeline = createPipeline();
  pipeline.addresses.set("https://gateway.example.com", gateway.url);
  pipeline.addresses.set("https://mcp.example.com", oauthGateway.url);
  pipeline.addresses.set("https://id.example.com", provider.issuer);
});
afterEach(() => pipeline.remove());

/** What a place to run pipelines hands to a job. */
function given(): Record<string, string> {
  const tokenFile = join(pipeline.home.folder, "token.txt");
  writeFileSync(tokenFile, `${ciToken}\n`, { mode: 0o600 });
  return {
    ONEDOOR_TOKEN: ciToken,
    ONEDOOR_URL: gateway.url,
    TOKEN_FILE: tokenFile,
    CLIENT_SECRET: clientSecret,
    KEY_FILE: keyFile,
    OP_SERVICE_ACCOUNT_TOKEN: "ops_of-the-tests",
    OP_STAND_IN_SECRETS: JSON.stringify({ "op://ci/onedoor/token": ciToken }),
  };
}

/** Of these a job that uses profiles knows nothing: they would win. */
const withoutVariables = { ONEDOOR_TOKEN: undefined, ONEDOOR_URL: undefined };

function expectNoSecret(results: readonly AgentResult[]): void {
  for (const { stdout, stderr } of results) {
    for (const secret of secrets) expect(stdout + stderr).not.toContain(secret);
  }
  expect(pipeline.opened()).toBe("");
}

/** What each example says at its end, in the order of the page. */
const sum = /The sum of 2 and 40 is 42\.\n$/u;
const examples: readonly [name: string, says: RegExp, env: PipelineOptions["env"]][] = [
  ["Two variables", sum, {}],
  ["GitHub Actions", sum, { ONEDOOR_URL: undefined }],
  ["GitLab CI", sum, { ONEDOOR_URL: undefined }],
  ["GitLab CI", /^Signed in to .* as ci \(admin\), from stdin/mu, withoutVariables],
  ["A shell, a container", sum, {}],
  ["A shell, a container", sum, withoutVariables],
  ["1Password", sum, withoutVariables],
  ["1Password", sum, withoutVariables],
  ["A client of its own", /^Signed out of .*$/mu, withoutVariables],
  ["A client of its own", sum, withoutVariables],
  ["Exit codes", /^usage\n$/mu, {}],
];

test("every example is here", () => {
  expect(guideExamples().map(({ heading }) => heading)).toEqual(examples.map(([name]) => name));
});

describe.each([
  ["/dev/null", "none"],
  ["an empty pipe", { text: "" }],
  ["a pipe that stays open and silent", "open"],
] as const)("with %s for stdin", (_, stdin) => {
  test.each(examples.map(([name, says, env], index) => [index, name, says, env] as const))(
    "%i %s",
    async (index, _name, says, env) => {
      const example = guideExamples()[index];
      expect(example?.scripts.length).toBeGreaterThan(0);
      const results: AgentResult[] = [];
      for (const script of example?.scripts ?? []) {
        results.push(
          await pipeline.run(script, { stdin, env: { ...given(), ...env, ...example?.env } }),
        );
      }
      expect(results.map(({ code, stderr }) => (code === 0 ? code : stderr))).toEqual(
        results.map(() => 0),
      );
      expect(results.map(({ stdout }) => stdout).join("")).toMatch(says);
      expectNoSecret(results);
    },
  );
});

/** A step that knows nothing but 1Password. */
function run(script: string, env: PipelineOptions["env"] = {}): Promise<AgentResult> {
  return pipeline.run(script, { env: { ...given(), ...withoutVariables, ...env } });
}

describe("1Password", () => {
  const login = "op read op://ci/onedoor/token | agent auth login --store file --url ";

  test.each([
    ["is locked", { OP_STAND_IN_LOCKED: "1" }, "authorization prompt dismissed"],
    ["is not signed in", { OP_SERVICE_ACCOUNT_TOKEN: undefined }, "account is not signed in"],
    ["has no such item", { OP_STAND_IN_SECRETS: "{}" }, "could not read secret"],
  ])("%s: the pipe is empty, and that is said", async (_, env, said) => {
    const result = await run(`${login}${gateway.url}`, env);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(/^\[ERROR\] /mu);
    expect(result.stderr).toContain(said);
    expect(result.stderr).toContain("stdin was empty: did the command before the pipe fail?");
    expectNoSecret([result]);
    const status = await run("agent auth status --all --json", env);
    expect(status.code).toBe(4);
  });

  test("pipefail tells of a locked one where no token is needed", async () => {
    const env = { OP_STAND_IN_LOCKED: "1" };
    expect(await run(`${login}${openGateway.url}`, env)).toMatchObject({ code: 0 });
    expect(await run(`set -o pipefail; ${login}${openGateway.url}`, env)).toMatchObject({
      code: 1,
    });
  });

  test("takes its time: after a second it is said what is waited for", async () => {
    const pipe = join(pipeline.home.folder, "unlocked");
    execFileSync("mkfifo", [pipe]);
    const env = { ...given(), ...withoutVariables, OP_STAND_IN_WAITS_FOR: pipe };
    const running = pipeline.start(`${login}${gateway.url}`, { env });
    await running.waitFor("stderr", /Waiting for a token on stdin/u);
    writeFileSync(pipe, "now");
    const result = await running.ended;
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout).toMatch(/^Signed in to /u);
    expectNoSecret([result]);
  });

  test("takes too long: the login gives up", async () => {
    const pipe = join(pipeline.home.folder, "never");
    execFileSync("mkfifo", [pipe]);
    const env = { ...given(), ...withoutVariables, OP_STAND_IN_WAITS_FOR: pipe };
    const running = pipeline.start(`${login}${gateway.url} --stdin-timeout 0.5`, { env });
    await running.waitFor("stderr", /No whole token came on stdin within 0\.5 s/u);
    writeFileSync(pipe, "too late");
    expect(await running.ended).toMatchObject({ code: 2, stdout: "" });
  });

  test("op run hands the exit code on, and nothing shows what it filled in", async () => {
    const env = { ONEDOOR_URL: gateway.url, ONEDOOR_TOKEN: "op://ci/onedoor/token" };
    const good = await run("op run -- agent auth status --json", env);
    expect(good).toMatchObject({ code: 0 });
    expect(JSON.parse(good.stdout)).toMatchObject([{ source: "environment", result: "ok" }]);
    const other = { ...env, OP_STAND_IN_SECRETS: '{"op://ci/onedoor/token": "of-somebody-else"}' };
    expect(await run("op run -- agent auth status", other)).toMatchObject({ code: 4 });
    const locked = { ...env, OP_STAND_IN_LOCKED: "1" };
    expect(await run("op run -- agent auth status", locked)).toMatchObject({ code: 1, stdout: "" });
    expectNoSecret([good]);
  });
});

test("a secret that a job does not get: exit 4, and what to do", async () => {
  const env = { ONEDOOR_URL: gateway.url, ONEDOOR_TOKEN: "" };
  const result = await pipeline.run("agent run everything/get-sum a=2 b=40", { env });
  expect(result).toMatchObject({ code: 4, stdout: "" });
  expect(result.stderr).toContain("ONEDOOR_TOKEN is empty: was the secret handed to this job?");
});

test("both variables: the token goes to that server alone", async () => {
  const env = { ONEDOOR_URL: openGateway.url, ONEDOOR_TOKEN: ciToken };
  const script = `agent auth status --url ${gateway.url} --json`;
  const result = await pipeline.run(script, { env });
  expect(result).toMatchObject({ code: 4 });
});
