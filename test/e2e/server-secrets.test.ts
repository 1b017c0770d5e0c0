import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openServerSecrets } from "../../src/profiles/server-secrets.ts";
import type { ServerSecrets } from "../../src/profiles/server-secrets.ts";
import { processStart } from "../../src/runtime/process-start.ts";
import { runAgent } from "./support/agent.ts";
import { rawServer, startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

const secret = "kept-in-the-key-ring-4711";
let home: Home;
let gateway: RunningGateway | undefined;
let bus: Server | undefined;
beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  bus?.close();
  bus = undefined;
  home.remove();
});

function secrets(): ServerSecrets {
  return openServerSecrets({
    configDir: home.configDir,
    report: () => undefined,
    learn: () => undefined,
    startOf: processStart,
    sessionBus: undefined,
  });
}

const configuration = (name = "tools/SECRET", mode = "all") => ({
  mcpServers: { tools: { ...rawServer(mode), env: { SECRET: `\${secret:${name}}` } } },
});

async function start(written: object, env: Record<string, string> = {}): Promise<void> {
  gateway = await startGateway(home, written, { args: ["--auth", "none"], env });
}

/** A session bus that takes every connection and says nothing, and how many there were. */
async function muteBus(): Promise<{ env: Record<string, string>; connections: () => number }> {
  const path = join(home.folder, "run", "mute");
  let count = 0;
  bus = createServer((socket) => {
    count += 1;
    socket.on("error", () => undefined);
  }).listen(path);
  await once(bus, "listening");
  return { env: { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` }, connections: () => count };
}

/** Says that the keychain has this secret, as after a start on a day when it was open. */
async function keepInKeychain(): Promise<void> {
  await secrets().set("tools/SECRET", "x", "file");
  const [file = ""] = readdirSync(join(home.configDir, "server-secrets"));
  const record = join(home.configDir, "server-secrets", file);
  writeFileSync(record, readFileSync(record, "utf8").replace('"file"', '"keychain"'));
}

const environmentOfTool = async (): Promise<string> =>
  (await runAgent(["run", "tools/environment", "--json"], { home })).stdout;

test("a server gets its secret, and nobody else sees it", async () => {
  await secrets().set("tools/SECRET", secret, "file");
  await start(configuration());
  await runAgent(["wait"], { home });
  expect(await environmentOfTool()).toContain(secret);
  // What is sent on purpose is redacted in the record.
  await runAgent(["run", "tools/strange", `a=${secret}`], { home });
  const audit = await runAgent(["audit", "--json"], { home });
  expect(audit.stdout).toContain("strange");
  for (const said of [audit.stdout, gateway?.agent.stderr, gateway?.agent.stdout]) {
    expect(said).not.toContain(secret);
  }
  const history = await runAgent(["history", "--json"], { home });
  expect(history.stdout).not.toContain(secret);
  expect(history.stdout).toContain("${secret:tools/SECRET}");
});

test("a server that repeats its secret does not bring it into the log", async () => {
  await secrets().set("tools/SECRET", secret, "file");
  await start(configuration("tools/SECRET", "leak-environment"));
  const waited = await runAgent(["wait", "tools"], { home });
  const listed = await runAgent(["inspect"], { home });
  expect(waited.code).toBe(3);
  expect(listed.stdout).toContain("bad key");
  for (const { stdout, stderr } of [waited, listed]) expect(stdout + stderr).not.toContain(secret);
  expect(gateway?.agent.stderr).not.toContain(secret);
});

test("a secret that is not there stops the start, and names key and command", async () => {
  home.writeConfiguration(configuration());
  const { code, stderr } = await runAgent(["serve", "--port", "0"], { home });
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /mcp\.json:\d+: mcpServers\.tools\.env\.SECRET: the secret tools\/SECRET is not kept on this machine\n/u,
  );
  expect(stderr).toContain("hint: agent mcp add tools --env SECRET --replace");
});

test("a mute keychain stops the start with what it is about, and is not asked where nothing needs it", async () => {
  const { env, connections } = await muteBus();
  await keepInKeychain();
  home.writeConfiguration(configuration());
  const { code, stderr } = await runAgent(["serve", "--port", "0"], { home, env });
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /mcpServers\.tools\.env\.SECRET: The secret tools\/SECRET cannot be read: /u,
  );
  expect(stderr).toContain("agent mcp add tools --env SECRET --replace --store file");
  expect(connections()).toBeGreaterThan(0);
  const before = connections();
  await start({ mcpServers: { tools: rawServer("all") } }, env);
  await runAgent(["wait"], { home });
  expect(connections()).toBe(before);
});

test("at a reload the running configuration stays until the secret can be read", async () => {
  await secrets().set("tools/SECRET", secret, "file");
  const { env } = await muteBus();
  await start(configuration(), env);
  await runAgent(["wait"], { home });
  home.writeConfiguration(configuration("tools/OTHER"));
  await gateway?.agent.waitFor("stderr", /the one before stays: .*tools\/OTHER is not kept/u);
  expect(await environmentOfTool()).toContain(secret);

  await keepInKeychain();
  home.writeConfiguration({ ...configuration(), presets: {} });
  await gateway?.agent.waitFor("stderr", /cannot be used, the one before stays: .*cannot be read/u);
  expect(await environmentOfTool()).toContain(secret);

  rmSync(join(home.configDir, "server-secrets"), { recursive: true });
  await secrets().set("tools/OTHER", "another-secret-0815", "file");
  home.writeConfiguration(configuration("tools/OTHER"));
  await gateway?.agent.waitFor("stderr", /The changed configuration is in effect/u);
  await runAgent(["wait", "tools"], { home });
  expect(await environmentOfTool()).toContain("another-secret-0815");
});

test("serve --status takes a reference for what it is", async () => {
  await secrets().set("tools/SECRET", secret, "file");
  await start(configuration());
  const { code, stdout } = await runAgent(["serve", "--status"], { home });
  expect(code).toBe(0);
  expect(stdout).not.toContain("is not kept");
});
