import { writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeCertificate } from "../fixtures/make-certificate.ts";
import type { MadeCertificate } from "../fixtures/make-certificate.ts";
import { startProxyStandIn } from "../fixtures/proxy-stand-in.ts";
import type { ProxyStandIn } from "../fixtures/proxy-stand-in.ts";
import { startTinyproxy } from "../fixtures/start-tinyproxy.ts";
import type { Tinyproxy } from "../fixtures/start-tinyproxy.ts";
import { mainFile, runAgent, startProgram } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { realServer, startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { startProxy } from "./support/mcp-lines.ts";

const token = "static-token-of-the-tests-0001";
const credentials = { name: "joe", password: "s3cret-of-the-proxy" };
const given = `${credentials.name}:${credentials.password}`;
const authority = makeCertificate({ names: "DNS:authority.test" });
const ofGateway = makeCertificate({ names: "DNS:gateway.test", issuer: authority });

let home: Home;
const ends: (() => unknown)[] = [];
beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  home.remove();
});

type Variables = Readonly<Record<string, string | undefined>>;

const agent = (args: readonly string[], env: Variables = {}): Promise<AgentResult> =>
  runAgent(args, { home, env });

/** A server with this certificate; what it was asked. */
async function serve(
  { cert, key }: MadeCertificate,
  listener: RequestListener = (_question, response) => {
    response.end(JSON.stringify({ name: "onedoor", ways: [], required: false, servers: [] }));
  },
): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer({ cert, key }, (question, response) => {
    asked.push(`${question.method} ${question.url}`);
    listener(question, response);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0, asked };
}

describe("a gateway that only a proxy can reach", () => {
  let far: Home;
  let gateway: RunningGateway;
  let names: ProxyStandIn;
  let open: Tinyproxy;
  let guarded: Tinyproxy;
  let url: string;
  beforeAll(async () => {
    far = createHome();
    gateway = await startGateway(far, {
      tls: { cert: ofGateway.certFile, key: ofGateway.keyFile },
      allowedHosts: ["gateway.test"],
      auth: [{ type: "token", options: { tokens: [{ name: "ci", token }] } }],
      mcpServers: { everything: realServer("everything") },
    });
    url = `https://gateway.test:${new URL(gateway.url).port}`;
    names = await startProxyStandIn();
    open = await startTinyproxy(names);
    guarded = await startTinyproxy(names, credentials);
  });
  afterAll(async () => {
    await guarded.close();
    await open.close();
    await names.close();
    await gateway.stop();
    far.remove();
  });

  test.each([
    ["without a password", () => ({ HTTPS_PROXY: `http://${open.host}` })],
    [
      "with one",
      () => ({
        https_proxy: `http://${given}@${guarded.host}`,
        HTTPS_PROXY: "http://127.0.0.1:1",
        NO_PROXY: "other.test,.example.com",
      }),
    ],
  ])("every command goes through it, %s", async (_what, proxy) => {
    const env = { ...proxy(), ONEDOOR_CACERT: authority.certFile, ONEDOOR_URL: url };
    const commands: readonly (readonly string[])[] = [
      ["auth", "login", "--token", token],
      ["auth", "status"],
      ["auth", "whoami"],
      ["wait"],
      ["inspect"],
      ["run", "everything/echo", "message=far away"],
      ["instructions"],
      ["auth", "logout"],
    ];
    for (const command of commands) {
      const result = await agent(command, env);
      expect({ command, ...result }).toMatchObject({ code: 0 });
      expect(result.stderr + result.stdout).not.toContain(credentials.password);
    }
    const proxied = startProxy(home, ["--token", token], env);
    ends.push(() => {
      proxied.agent.process.kill("SIGTERM");
      return proxied.agent.ended;
    });
    await proxied.begin();
    const echo = { name: "everything__echo", arguments: { message: "by MCP" } };
    expect((await proxied.ask("tools/call", echo)).result.content[0].text).toBe("Echo: by MCP");
    expect(names.asked).toContain(`CONNECT ${new URL(url).host}`);
  });

  test.each([
    [
      "wants a name and a password",
      "",
      /^agent: The proxy http:\/\/\S+ \(HTTPS_PROXY\) wants a name and a password \(407\)\nhint: HTTPS_PROXY=http:\/\/<name>:<password>@\S+\n$/u,
    ],
    [
      "refuses those it was given",
      "joe:wrong-word@",
      /refuses the name and the password that it was given \(401\)/u,
    ],
  ])("a proxy that %s is 3", async (_what, shown, message) => {
    const result = await agent(["inspect", "--url", url, "--token", token], {
      HTTPS_PROXY: `http://${shown}${guarded.host}`,
    });
    expect(result).toMatchObject({ code: 3, stdout: "" });
    expect(result.stderr).toMatch(message);
    expect(result.stderr).not.toContain("wrong-word");
  });

  test("NO_PROXY is heeded", async () => {
    const env = { HTTPS_PROXY: `http://${open.host}`, NO_PROXY: "*.test" };
    const { code, stderr } = await agent(["inspect", "--url", url, "--token", token], env);
    expect(code).toBe(3);
    expect(stderr).toContain(`Cannot reach ${url}: its name cannot be resolved`);
  });

  test("--cacert wins over ONEDOOR_CACERT, and its authorities over nobody's doubt", async () => {
    const env = { HTTPS_PROXY: `http://${open.host}`, ONEDOOR_CACERT: "/missing.pem" };
    const inspect = ["inspect", "--url", url, "--token", token];
    expect(await agent([...inspect, "--cacert", authority.certFile], env)).toMatchObject({
      code: 0,
    });
    const doubted = await agent(inspect, { HTTPS_PROXY: `http://${open.host}` });
    expect(doubted.code).toBe(3);
    expect(doubted.stderr).toMatch(
      /through the proxy http:\/\/\S+: its TLS certificate is not trusted \(UNABLE_TO_\w+\)\nhint: --cacert <file>/u,
    );
  });
});

test.each([
  ["makes no connection", 403, /makes no connection to https:\/\/gateway\.test \(403\)/u],
  ["hangs up", "hang up", /Cannot reach the proxy \S+ \(HTTPS_PROXY\): the connection was closed/u],
  ["hangs", "hang", /No answer within 1 s through the proxy http:\/\/127\.0\.0\.1:\d+\n/u],
] as const)("a proxy that %s is 3, and the command ends", async (_what, refusal, message) => {
  const proxy = await startProxyStandIn({ refusal });
  ends.push(() => proxy.close());
  const args = ["inspect", "--url", "https://gateway.test", "--token", token];
  const result = await agent([...args, "--timeout", refusal === "hang" ? "1" : "20"], {
    HTTPS_PROXY: proxy.url.replace("//", `//${given}@`),
  });
  expect(result).toMatchObject({ code: 3, stdout: "" });
  expect(result.stderr).toMatch(message);
  expect(result.stderr).not.toContain(credentials.password);
  expect(result.stderr).not.toContain(Buffer.from(given).toString("base64"));
});

test.each([
  [
    "socks5://joe:s3cret-of-the-proxy@127.0.0.1:1",
    /names a proxy of another kind \(socks5:\/\/\)/u,
  ],
  ["http://joe:s3cret-of-the-proxy@127.0.0.1:port", /holds no address of a proxy/u],
])("a variable that names no proxy is 2: %s", async (value, message) => {
  const result = await agent(["inspect", "--url", "https://gateway.test", "--token", token], {
    HTTPS_PROXY: value,
  });
  expect(result.code).toBe(2);
  expect(result.stderr).toMatch(message);
  expect(result.stderr).not.toContain(credentials.password);
});

test("one's own gateway is never reached through a proxy, whatever the variables say", async () => {
  const proxy = await startProxyStandIn();
  ends.push(() => proxy.close());
  const gateway = await startGateway(home, {
    mcpServers: { everything: realServer("everything") },
  });
  ends.push(() => gateway.stop());
  const env = { HTTP_PROXY: proxy.url, http_proxy: proxy.url, ALL_PROXY: proxy.url };
  for (const command of [
    ["auth", "login", "--local"],
    ["auth", "status"],
    ["inspect", "--url", gateway.url.replace("127.0.0.1", "localhost")],
    ["wait"],
    ["run", "everything/echo", "message=here"],
  ]) {
    expect({ command, ...(await agent(command, env)) }).toMatchObject({ code: 0 });
  }
  expect(proxy.asked).toEqual([]);
});

const fileOf = (text: string): string => {
  const file = join(home.folder, "ca.pem");
  writeFileSync(file, text);
  return file;
};

describe("certificates", () => {
  test.each([
    ["that is missing", () => "/missing/ca.pem", /There is no file \S+ with the certificates/u],
    ["that is empty", () => fileOf(""), /ca\.pem holds no certificate/u],
    ["that is no PEM", () => fileOf("certificate"), /ca\.pem holds no certificate/u],
    [
      "that is too large",
      () => fileOf(" ".repeat(4 * 1024 * 1024 + 1)),
      /ca\.pem is longer than 4 MiB/u,
    ],
  ])("a file %s is 2 and is named", async (_what, place, reason) => {
    const file = place();
    const inspect = ["inspect", "--url", "https://localhost:1"];
    for (const [args, env, from] of [
      [["--cacert", file], {}, "--cacert"],
      [[], { ONEDOOR_CACERT: file }, "ONEDOOR_CACERT"],
    ] as const) {
      const result = await agent([...inspect, ...args], env);
      expect(result).toMatchObject({ code: 2, stdout: "" });
      expect(result.stderr).toMatch(reason);
      expect(result.stderr).toContain(`${file} `);
      expect(result.stderr).toContain(`\nhint: ${from} names a file of certificates in PEM form`);
    }
  });

  test("--cacert <(…) is read, and so is --args @<(…)", async () => {
    const own = makeCertificate();
    const { port } = await serve(own, ({ url }, response) => {
      const answer = url === "/status" ? { name: "onedoor" } : { content: [] };
      response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
    });
    const run = ["run", "s/t", "--url", `https://localhost:${port}`, "--token", token];
    const command = '"$@" --cacert <(cat "$FILE") --args @<(echo "{}")';
    const words = ["-c", command, "bash", process.execPath, mainFile, ...run];
    const { ended } = startProgram("bash", words, { home, env: { FILE: own.certFile } });
    expect(await ended).toMatchObject({ code: 0 });
  });

  const expired = makeCertificate({ days: -1 });
  const othersName = makeCertificate({ names: "DNS:other.example" });
  test.each([
    ["nobody vouches for", makeCertificate(), undefined, "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["has expired", expired, expired, "CERT_HAS_EXPIRED"],
    ["is for another name", othersName, othersName, "ERR_TLS_CERT_ALTNAME_INVALID"],
  ])(
    "one that %s is 3, and 0 with --insecure, which --quiet does not hide",
    async (_what, shown, trusted, code) => {
      const { port, asked } = await serve(shown);
      const host = `localhost:${port}`;
      const cacert = trusted === undefined ? [] : ["--cacert", trusted.certFile];
      const args = ["inspect", "--url", `https://${host}`, "--token", token, ...cacert];
      const refused = await agent(args);
      expect(refused).toMatchObject({ code: 3, stdout: "" });
      expect(refused.stderr).toContain(`its TLS certificate is not trusted (${code})`);
      expect(asked).toEqual([]);
      const taken = await agent([...args, "--insecure", "--quiet"]);
      expect(taken).toMatchObject({ code: 0 });
      expect(taken.stderr).toMatch(
        new RegExp(`^Warning: the certificate of ${host} is not checked \\(--insecure\\): `, "u"),
      );
      expect(asked.length).toBeGreaterThan(0);
    },
  );

  test("--cacert adds to NODE_EXTRA_CA_CERTS", async () => {
    const [one, other] = [makeCertificate(), makeCertificate()];
    const { port } = await serve(one);
    const args = ["inspect", "--url", `https://localhost:${port}`, "--token", token];
    const env = { NODE_EXTRA_CA_CERTS: one.certFile };
    expect(await agent([...args, "--cacert", other.certFile], env)).toMatchObject({ code: 0 });
    expect(await agent([...args, "--cacert", other.certFile])).toMatchObject({ code: 3 });
  });

  test("--insecure is for the chosen server, not for the authorization server that it names", async () => {
    const authorizationServer = await serve(makeCertificate());
    const issuer = `https://localhost:${authorizationServer.port}`;
    const server = await serve(makeCertificate(), ({ url, headers }, response) => {
      const origin = `https://${headers.host}`;
      if (url?.startsWith("/.well-known/oauth-protected-resource") === true) {
        const metadata = { resource: `${origin}/mcp`, authorization_servers: [issuer] };
        response.setHeader("content-type", "application/json").end(JSON.stringify(metadata));
        return;
      }
      const metadata = `${origin}/.well-known/oauth-protected-resource/mcp`;
      const challenge = `Bearer resource_metadata="${metadata}"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
    });
    const url = `https://localhost:${server.port}/mcp`;
    const ways = ["--client-credentials", "--client-id", "ci"];
    const result = await runAgent(["auth", "login", "--url", url, "--insecure", ...ways], {
      home,
      stdin: { text: "client-secret-of-the-tests\n" },
    });
    expect(result).toMatchObject({ code: 3, stdout: "" });
    expect(result.stderr).toContain(
      `Cannot reach ${issuer}: its TLS certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)`,
    );
    expect(server.asked.length).toBeGreaterThan(0);
    expect(authorizationServer.asked).toEqual([]);
  });

  test.each([
    ["auth", "status", "--all", "--insecure"],
    ["auth", "logout", "--all", "--insecure"],
  ])("--insecure is not for all servers: agent %s %s", async (...args) => {
    const { code, stderr } = await agent(args);
    expect(code).toBe(2);
    expect(stderr).toContain("--insecure is for one server");
  });

  test("there is no variable for --insecure", async () => {
    const { port } = await serve(makeCertificate());
    const args = ["inspect", "--url", `https://localhost:${port}`, "--token", token];
    expect(await agent(args, { ONEDOOR_INSECURE: "1" })).toMatchObject({ code: 3 });
  });
});
