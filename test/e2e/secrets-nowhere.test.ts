import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sendJson, startFakeServer } from "../client/support/fake-server.ts";
import { baseScope } from "../fixtures/protected-mcp-server.ts";
import type { OidcProvider } from "../fixtures/start-oidc-provider.ts";
import { watchLife } from "./secrets-nowhere/watched-life.ts";
import type { WatchedLife, WatchedOptions } from "./secrets-nowhere/watched-life.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { startGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import {
  clients,
  freePort,
  playBrowser,
  startProtectedMcpServer,
  startSignInServer,
} from "./support/oauth-servers.ts";
import type { ProtectedMcpServer } from "./support/oauth-servers.ts";
import { echoServer } from "./support/team.ts";

const pipedToken = "piped-token-of-the-tests-11111111";
const givenToken = "given-token-of-the-tests-22222222";
const environmentToken = "environment-token-of-the-tests-77777777";
const wrongToken = "wrong-token-of-the-tests-33333333";
const password = "a pass phrase: of vera & nobody's 44444444";
const wrongPassword = "a wrong phrase of somebody 55555555";
const wrongSecret = "wrong-client-secret-66666666";
const vera = "vera@example.com";

const key = generateKeyPairSync("ec", { namedCurve: "P-256" });
const keyText = key.privateKey.export({ format: "pem", type: "pkcs8" }).toString();
/** Outside the home: where it is, it may be. */
const keyFolder = mkdtempSync(join(tmpdir(), "onedoor-key-"));
const keyFile = join(keyFolder, "key.pem");
writeFileSync(keyFile, keyText, { mode: 0o600 });

const keyLines = keyText.split("\n").filter((line) => /^[^-]/u.test(line));

let home: Home;
let provider: OidcProvider;
let gateway: RunningGateway;
/** Another server, one of whose tools wants more scopes. */
let mcp: ProtectedMcpServer;
let life: WatchedLife;
let url: string;
let resource: string;

beforeAll(async () => {
  home = createHome();
  provider = await startSignInServer({
    clients: [
      {
        id: "keyed",
        claims: { role: "editor", sub: "keyed" },
        metadata: {
          client_secret: undefined,
          token_endpoint_auth_method: "private_key_jwt",
          token_endpoint_auth_signing_alg: "ES256",
          jwks: {
            keys: [{ ...key.publicKey.export({ format: "jwk" }), alg: "ES256", use: "sig" }],
          },
        },
      },
    ],
  });
  mcp = await startProtectedMcpServer(provider.issuer);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  resource = `${url}/mcp`;
  gateway = await startGateway(
    home,
    {
      mcpServers: { open: echoServer("open") },
      auth: [
        { type: "local" },
        {
          type: "token",
          options: {
            tokens: [
              { name: "piped", token: pipedToken },
              { name: "given", token: givenToken },
              { name: "environment", token: environmentToken },
            ],
          },
        },
        { type: "simple" },
        { type: "oauth", options: { issuer: provider.issuer, audience: resource, role: "editor" } },
      ],
    },
    { port, args: ["--debug"] },
  );
  life = watchLife(home);
  for (const [label, secret] of Object.entries({
    "the piped token": pipedToken,
    "the given token": givenToken,
    "the environment's token": environmentToken,
    "a wrong token": wrongToken,
    "the number of the client's key": key.privateKey.export({ format: "jwk" }).d ?? "",
    ...Object.fromEntries(keyLines.map((line, index) => [`line ${index} of the key`, line])),
    "the password": password,
    "a wrong password": wrongPassword,
    "the client secret": clients.robot.secret,
    "a wrong client secret": wrongSecret,
    "the runtime secret": gateway.record.secret,
  })) {
    life.hunt.add(label, secret);
  }
});
afterAll(async () => {
  await gateway.stop();
  await mcp.close();
  await provider.stop();
  rmSync(keyFolder, { recursive: true });
  life.remove();
  home.remove();
});

/** Every way in, each a profile of its own. */
const ways: Readonly<Record<string, { args: string } & WatchedOptions>> = {
  piped: { args: "", stdin: `${pipedToken}\n` },
  given: { args: `--token ${givenToken}`, shows: "argv" },
  own: { args: "--local" },
  web: { args: "--web" },
  device: {
    // For the library behind this authorization server a device that names no scopes wants none.
    args: `--device --scope=${baseScope}`,
    async meanwhile(running) {
      const [, userCode = ""] = await running.waitFor("stderr", /^ {2}([A-Z]{4}-[A-Z]{4})$/mu);
      await playBrowser(`${provider.issuer}/device`, { userCode });
    },
  },
  keyed: { args: `--client-credentials --client-id keyed --client-key ${keyFile}` },
  vera: { args: `--email ${vera}`, stdin: `${password}\n` },
  robot: {
    args: `--client-credentials --client-id ${clients.robot.id}`,
    stdin: `${clients.robot.secret}\n`,
  },
};
const names = Object.keys(ways);

const words = (text: string): string[] => text.split(" ").filter((word) => word !== "");

async function login(name: string): Promise<number | null> {
  const { args, ...options } = ways[name] ?? { args: "" };
  const line = words(`auth login --url ${resource} --profile ${name} --store file ${args}`);
  return (await life.agent(line, options)).code;
}

async function agent(line: string, options: WatchedOptions = {}): Promise<string> {
  const { code } = await life.agent(words(line), options);
  return `${code} ${line}`;
}

describe("a life with every way in", () => {
  test("Vera gets a password", async () => {
    const done = [
      await agent("org add acme"),
      await agent(`user add ${vera}`),
      await agent(`member set ${vera} acme editor`),
      await agent(`user passwd ${vera}`, { stdin: `${password}\n` }),
      await agent("wait"),
    ];
    expect(done.map((line) => line[0])).toEqual(["0", "0", "0", "0", "0"]);
  });

  test.each(names)("sign in: %s", async (name) => {
    const before = life.hunt.size;
    expect(await login(name)).toBe(0);
    // What was minted or granted is looked for from now on.
    expect(life.hunt.size - before).toBeGreaterThanOrEqual(name in { piped: 0, given: 0 } ? 0 : 1);
  });

  test.each(names)("use: %s", async (name) => {
    const at = `--url ${resource} --profile ${name}`;
    const done = [
      await agent(`auth status ${at}`),
      await agent(`auth whoami ${at} --json`),
      await agent(`run open/read text=x ${at} --debug`),
      await agent(`inspect open ${at} --json`),
    ];
    expect(done.filter((line) => !line.startsWith("0 "))).toEqual([]);
    const refreshed = [
      await agent(`auth refresh ${at}`),
      await agent(`auth refresh ${at} --json --debug`),
    ];
    // What was only handed over has nothing to renew it with.
    const code = name === "piped" || name === "given" ? "2" : "0";
    expect(refreshed.map((line) => line[0])).toEqual([code, code]);
    const shown = await life.agent(words(`auth token ${at}`), { shows: "stdout" });
    expect(shown).toMatchObject({ code: 0 });
  });

  test("a token in the environment", async () => {
    const env = { ONEDOOR_URL: resource, ONEDOOR_TOKEN: environmentToken };
    const done = [
      await agent("auth status --json", { env }),
      await agent("auth whoami --debug", { env }),
      await agent("run open/read text=x --debug", { env }),
      await agent("inspect open", { env }),
    ];
    expect(done.filter((line) => !line.startsWith("0 "))).toEqual([]);
    const wrong = { env: { ...env, ONEDOOR_TOKEN: wrongToken } };
    const fails = [
      await agent("auth status", wrong),
      await agent("auth whoami --json", wrong),
      await agent("run open/read text=x --json --debug", wrong),
    ];
    expect(fails.map((line) => line[0])).toEqual(["4", "4", "4"]);
  });

  test("a password that is typed, after a wrong one", async () => {
    const args = words(`auth login --url ${resource} --profile typed --store file --debug`);
    const { code } = await life.terminal(
      [...args, "--email", vera],
      [
        ["Password of", `${wrongPassword}\r`],
        ["Password of", `${password}\r`],
      ],
    );
    expect(code).toBe(0);
  });

  test("a tool that wants more scopes", async () => {
    const at = `--url ${mcp.url}`;
    expect(await agent(`auth login ${at} --web --store file`)).toMatch(/^0/u);
    expect(await agent(`run restricted ${at} --json --debug`)).toMatch(/^4/u);
    const offered = await life.terminal(words(`run restricted ${at} --debug`), [
      ["Sign in once more", "\r"],
    ]);
    expect(offered.code).toBe(0);
    expect(offered.shown).toContain("mcp:restricted");
  });

  test("all of them, and another default", async () => {
    expect(await agent("auth status --all --json")).toMatch(/^0/u);
    expect(await agent(`auth switch vera --url ${resource}`)).toMatch(/^0/u);
    expect(await agent("auth status --all")).toMatch(/^0/u);
    expect(await agent("instructions")).toMatch(/^0/u);
  });

  test.each(["", "--json", "--debug", "--json --debug"])("what fails: %s", async (more) => {
    const at = `--url ${resource} --profile web ${more}`;
    const gone = await startFakeServer(() => undefined);
    await gone.close();
    const failing = await startFakeServer(({ headers }, response) => {
      sendJson(response, 500, { error: { code: "internal", message: `${headers.authorization}` } });
    });
    const fails = [
      await agent(`auth login ${at}`, { stdin: `${wrongToken}\n` }),
      await agent(`auth login ${at} --email ${vera}`, { stdin: `${wrongPassword}\n` }),
      await agent(`auth login ${at} --client-credentials --client-id robot`, {
        stdin: `${wrongSecret}\n`,
      }),
      await agent(`auth login ${at} --client-credentials --client-id ci --client-key ${keyFile}`),
      await agent(`auth login --url ${gone.url} ${more}`, { stdin: `${wrongToken}\n` }),
      await agent(`auth login --url ${failing.url} ${more}`, { stdin: `${wrongToken}\n` }),
      await agent(`auth login ${at}`, { stdin: `two words ${wrongToken}\n` }),
      await agent(`run open/nothing text=x ${at}`),
    ];
    await failing.close();
    expect(fails.map((line) => line[0])).toEqual(["4", "4", "4", "4", "3", "3", "2", "2"]);
  });

  test("sign out", async () => {
    expect(await agent(`auth logout --url ${resource} --profile web`)).toMatch(/^0/u);
    expect(await agent(`auth logout --url ${resource} --profile robot --json`)).toMatch(/^0/u);
    expect(await agent("auth logout --all")).toMatch(/^0/u);
  });

  test("no secret stands anywhere", async () => {
    life.keep("log of the gateway", gateway.agent.stderr + gateway.agent.stdout);
    life.lookAtFiles();
    // What was made up here, three codes, of six ways three tokens each, of three three refresh tokens; and two tokens
    // and two refresh tokens of the other server, a session of who typed.
    const madeUp = 10 + keyLines.length;
    expect(life.hunt.size).toBeGreaterThanOrEqual(madeUp + 3 + 18 + 9 + 4 + 2);
    expect(life.hunt.findIn(life.traces)).toEqual([]);
  });
});
