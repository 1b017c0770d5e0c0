import { readFileSync, renameSync } from "node:fs";
import { createServer, request } from "node:https";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeCertificate } from "../fixtures/make-certificate.ts";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { realServer, startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { startProxy } from "./support/mcp-lines.ts";

const token = "static-token-of-the-tests-0001";

let home: Home;
let gateway: RunningGateway | undefined;
const ends: (() => Promise<unknown> | void)[] = [];
beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  await gateway?.stop();
  gateway = undefined;
  home.remove();
});

/** With a certificate for somewhere else, that nobody vouches for: as bad as it can be. */
async function serve(): Promise<RunningGateway> {
  const names = "DNS:gateway.example";
  const { certFile: cert, keyFile: key } = makeCertificate({ names, folder: home.folder });
  gateway = await startGateway(home, {
    tls: { cert, key },
    auth: [{ type: "local" }, { type: "token", options: { tokens: [{ name: "ci", token }] } }],
    mcpServers: { everything: realServer("everything") },
  });
  return gateway;
}

const agent = (...args: readonly string[]): Promise<AgentResult> => runAgent(args, { home });
const certificates = (): unknown =>
  JSON.parse(readFileSync(join(home.stateDir, "server.json"), "utf8")).certificates;

const anyName = (): undefined => undefined;

test("every command reaches one's own gateway by its certificate alone, and goes on after a renewal", async () => {
  const { url, record } = await serve();
  expect(url).toMatch(/^https:\/\/127\.0\.0\.1:/u);
  const port = new URL(url).port;
  const localhost = `https://localhost:${port}`;
  const commands: readonly (readonly string[])[] = [
    ["serve", "--status"],
    ["wait"],
    ["auth", "login", "--local"],
    ["auth", "login", "--url", localhost, "--profile", "ci", "--token", token],
    ["auth", "status"],
    ["inspect"],
    ["inspect", "--url", localhost, "--profile", "ci"],
    ["run", "everything/echo", "message=hello"],
    ["token", "list"],
    ["audit"],
  ];
  for (const command of commands) {
    expect({ command, ...(await agent(...command)) }).toMatchObject({ code: 0 });
  }
  const proxy = startProxy(home);
  ends.push(() => {
    proxy.agent.process.kill("SIGTERM");
    return proxy.agent.ended;
  });
  await proxy.begin();
  const echo = { name: "everything__echo", arguments: { message: "over TLS" } };
  expect((await proxy.ask("tools/call", echo)).result.content[0].text).toBe("Echo: over TLS");

  const before = certificates();
  const next = makeCertificate({ names: "DNS:other.example" });
  renameSync(next.keyFile, join(home.folder, "key.pem"));
  renameSync(next.certFile, join(home.folder, "cert.pem"));
  await vi.waitFor(() => expect(certificates()).toEqual([next.fingerprint]), 20_000);
  expect(before).not.toEqual([next.fingerprint]);
  expect(JSON.parse(readFileSync(join(home.stateDir, "server.json"), "utf8"))).toMatchObject({
    pid: record.pid,
    secret: record.secret,
  });
  for (const command of commands) {
    expect({ command, ...(await agent(...command)) }).toMatchObject({ code: 0 });
  }
  expect((await proxy.ask("tools/call", echo)).result.content[0].text).toBe("Echo: over TLS");
});

test("nothing is sent to who shows another certificate where one's own gateway is said to run", async () => {
  const own = await serve();
  const { port } = new URL(own.url);
  const theirs = makeCertificate();
  const heard: unknown[] = [];
  // Another program on a second address of the same port, with a certificate that the user does trust.
  const stranger = createServer({ cert: theirs.cert, key: theirs.key }, (asked, response) => {
    heard.push(asked.url);
    response.end(JSON.stringify({ name: "onedoor" }));
  });
  await own.stop();
  gateway = undefined;
  await new Promise<void>((resolve) => {
    stranger.listen(Number(port), "127.0.0.1", resolve);
  });
  ends.push(() => {
    stranger.closeAllConnections();
    stranger.close();
  });
  // Its runtime file says that it is this process, which lives, and is ours: only the certificate is not.
  const { writeRuntimeFile } = await import("../../src/runtime/runtime-file.ts");
  await writeRuntimeFile(home.stateDir, {
    pid: process.pid,
    url: own.url,
    instanceId: own.record.instanceId,
    startedAtMs: Date.now(),
    secret: own.record.secret,
    certificates: ["ab".repeat(32)],
  });
  const env = { NODE_EXTRA_CA_CERTS: theirs.certFile };
  const asked = ["--token", token];
  for (const [command, code] of [
    [["inspect", ...asked], 3],
    [["inspect", "--url", `https://localhost:${port}`, ...asked], 3],
    [["auth", "login", "--local"], 3],
    [["token", "list"], 4],
    [["serve", "--status"], 3],
  ] as const) {
    const result = await runAgent(command, { home, env });
    expect({ command, ...result }).toMatchObject({ code });
    expect(result.stdout + result.stderr).toMatch(/certificate/u);
  }
  expect(heard).toEqual([]);
});

test("a gateway that is not one's own is judged as Node judges: NODE_EXTRA_CA_CERTS", async () => {
  const theirs = makeCertificate();
  const server = createServer({ cert: theirs.cert, key: theirs.key }, (_asked, response) => {
    response.end(JSON.stringify({ name: "onedoor", ways: [], required: false, servers: [] }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const login = ["auth", "login", "--url", `https://localhost:${port}`, "--token", token];
  const refused = await agent("inspect", "--url", `https://localhost:${port}`, "--token", token);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain("DEPTH_ZERO_SELF_SIGNED_CERT");
  expect(refused.stderr).toContain("NODE_EXTRA_CA_CERTS");
  const notSaved = await agent(...login);
  expect(notSaved.code).toBe(3);
  expect(notSaved.stderr).toContain("nothing saved");
  expect(notSaved.stderr).toContain("NODE_EXTRA_CA_CERTS");
  expect(notSaved.stderr).not.toContain("--no-verify");
  const env = { NODE_EXTRA_CA_CERTS: theirs.certFile };
  expect(await runAgent(login, { home, env })).toMatchObject({ code: 0 });
});

test("other programs see an ordinary https server", async () => {
  const { url } = await serve();
  const status = await new Promise((resolve, reject) => {
    const ca = readFileSync(join(home.folder, "cert.pem"));
    const options = { ca, checkServerIdentity: anyName };
    request(`${url}/health`, options, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on("error", reject)
      .end();
  });
  expect(status).toBe(200);
});
