import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { once } from "node:events";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mainFile, runAgent, startProgram } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { rawServer, startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

interface Line {
  name: string;
  state: string;
  message: string;
  mend: string | null;
}

const token = "static-token-of-the-tests-0001";
let home: Home;
let gateway: RunningGateway | undefined;
let server: Server | undefined;
beforeEach(() => {
  home = createHome();
  // `agent` of the commands that mend.
  mkdirSync(join(home.folder, "bin"));
  const script = `#!/bin/sh\nexec '${process.execPath}' '${mainFile}' "$@"\n`;
  writeFileSync(join(home.folder, "bin", "agent"), script, { mode: 0o755 });
});
afterEach(async () => {
  gateway?.agent.process.kill("SIGCONT");
  await gateway?.stop();
  gateway = undefined;
  await runAgent(["serve", "--stop"], { home });
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  home.remove();
});

async function doctor(env: Record<string, string> = {}): Promise<AgentResult & { lines: Line[] }> {
  const result = await runAgent(["doctor", "--json"], { home, env });
  const { checks }: { checks: Line[] } = JSON.parse(result.stdout);
  return { ...result, lines: checks };
}

const bad = (lines: readonly Line[], name: string): Line[] =>
  lines.filter((line) => line.name === name && line.state !== "ok");

/** Runs the command that mends a line in a shell, as a person would paste it. */
async function mend(line: Line | undefined, more = ""): Promise<AgentResult> {
  const path = `${join(home.folder, "bin")}:${process.env["PATH"] ?? ""}`;
  const command = `${line?.mend ?? "false"}${more}`;
  return startProgram("/bin/sh", ["-c", command], { home, env: { PATH: path } }).ended;
}

const auth = [{ type: "local" }, { type: "token", options: { tokens: [{ name: "ci", token }] } }];

async function start(configuration: object = {}): Promise<void> {
  gateway = await startGateway(home, { auth, ...configuration });
}

async function signIn(more: readonly string[] = []): Promise<void> {
  const { code, stderr } = await runAgent(["auth", "login", ...more], { home });
  expect([code, stderr]).toEqual([0, expect.any(String)]);
}

const profileFile = (): string => {
  const folder = join(home.configDir, "profiles");
  return join(folder, readdirSync(folder).find((name) => name.endsWith(".json")) ?? "");
};

describe("where all is well", () => {
  test("every line is ok, and the exit code 0", async () => {
    await start({ mcpServers: { tools: rawServer("all") } });
    await signIn();
    await runAgent(["wait"], { home });
    const { code, lines, stderr } = await doctor();
    expect(lines.filter(({ state }) => state !== "ok")).toEqual([]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(lines.find(({ name }) => name === "upstream")?.message).toMatch(/^tools: \d+ tools$/u);
    expect(lines.find(({ name }) => name === "profile")?.message).toContain("the token is good");
    expect(lines.find(({ name }) => name === "clock")?.message).toContain(gateway?.url);
  });

  test("nothing is changed, not even what other commands would mend", async () => {
    await start();
    await signIn();
    await gateway?.stop();
    gateway = undefined;
    chmodSync(profileFile(), 0o644);
    writeFileSync(join(home.configDir, "profiles", `${"a".repeat(32)}.json`), "torn");
    const before = snapshot();
    await doctor();
    expect(snapshot()).toEqual(before);
  });

  test("a new user is told what to do, which is no failure, and nothing is made", async () => {
    const { code, lines } = await doctor();
    expect(code).toBe(0);
    // On a machine where the usual port is taken, with another.
    expect(bad(lines, "gateway")[0]?.mend).toMatch(/^agent serve --background( --port 0)?$/u);
    expect(existsSync(home.configDir)).toBe(false);
    expect(existsSync(home.stateDir)).toBe(false);
  });

  test("the text says the same, each line with its state", async () => {
    const { code, stdout } = await runAgent(["doctor"], { home });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok {4}node {10,}Node v?\d/mu);
    expect(stdout).toMatch(/^warn {2}gateway .*\n +mend: agent serve --background/mu);
    expect(stdout).toMatch(/\nOneDoor \S+: \d+ ok, \d+ to look at, 0 failed\n$/u);
  });
});

function portOf(of: Server): number {
  const address = of.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Every file of the home with its mode, size and time. */
function snapshot(): string[] {
  return readdirSync(home.folder, { recursive: true, encoding: "utf8" })
    .toSorted()
    .map((name) => {
      const { mode, size, mtimeMs } = statSync(join(home.folder, name));
      return `${name} ${mode} ${size} ${mtimeMs}`;
    });
}

describe("each thing that is broken is one line, and its command mends it", () => {
  test("a profile that others may read", async () => {
    await start();
    await signIn();
    chmodSync(profileFile(), 0o644);
    const { code, lines, stderr } = await doctor();
    const [line] = bad(lines, "key ring");
    expect(line?.message).toMatch(
      /^~\/\.config\/onedoor\/profiles\/.* is open to others \(mode 0644\)$/u,
    );
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { message: "1 failed: key ring", hint: line?.mend },
    });
    await mend(line);
    expect((await doctor()).code).toBe(0);
  });

  test("a torn profile", async () => {
    await start();
    await signIn();
    writeFileSync(profileFile(), '{"url": "https://gw');
    const { code, lines } = await doctor();
    const [line] = bad(lines, "key ring");
    expect(line?.message).toContain("is not JSON: it is no profile");
    expect(code).toBe(1);
    await mend(line);
    const after = await doctor();
    expect(bad(after.lines, "key ring")).toEqual([]);
    const [orphan] = bad(after.lines, "left behind");
    expect(orphan?.state).toBe("warn");
    await mend(orphan);
    expect(bad((await doctor()).lines, "left behind")).toEqual([]);
  });

  test("a gateway that was killed, and its runtime file", async () => {
    await start({ port: 0 });
    gateway?.agent.process.kill("SIGKILL");
    await gateway?.agent.ended;
    gateway = undefined;
    const { code, lines } = await doctor();
    expect(code).toBe(0);
    const [line] = bad(lines, "runtime file");
    expect(line?.message).toContain("of a gateway that is gone");
    await mend(line);
    const after = await doctor();
    expect(bad(after.lines, "runtime file")).toEqual([]);
    await mend(bad(after.lines, "gateway")[0], " --port 0");
    expect(bad((await doctor()).lines, "gateway")).toEqual([]);
  });

  test("a gateway that lives and does not answer", async () => {
    await start();
    gateway?.agent.process.kill("SIGSTOP");
    const { code, lines } = await doctor();
    expect(code).toBe(1);
    const [line] = bad(lines, "gateway");
    expect(line).toMatchObject({
      state: "fail",
      mend: `kill -KILL ${gateway?.record.pid}; agent serve --background`,
    });
    expect(line?.message).toContain("does not answer");
    const { code: mended } = await mend(line, " --port 0");
    gateway = undefined;
    expect(mended).toBe(0);
    expect(bad((await doctor()).lines, "gateway")).toEqual([]);
  });

  test("a port that somebody else has", async () => {
    server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const port = portOf(server);
    home.writeConfiguration({ port });
    const { lines } = await doctor();
    const [line] = bad(lines, "gateway");
    expect(line?.message).toBe(`None runs, and something else listens on its port ${port}`);
    expect((await mend(line)).code).toBe(0);
    expect(bad((await doctor()).lines, "gateway")).toEqual([]);
  });

  test("a token that is rejected", async () => {
    await start();
    await signIn();
    await runAgent(["auth", "token"], { home });
    const listed = await runAgent(["token", "list", "--json"], { home });
    const id = /"id": "([^"]+)"/u.exec(listed.stdout)?.[1] ?? "";
    await runAgent(["token", "revoke", id], { home });
    const { code, lines } = await doctor();
    const [line] = bad(lines, "profile");
    expect(line).toMatchObject({ state: "fail", message: expect.stringContaining("is rejected") });
    expect(code).toBe(1);
    expect((await mend(line)).code).toBe(0);
    expect(bad((await doctor()).lines, "profile")).toEqual([]);
  });

  test("an upstream server that is down", async () => {
    const mcpServers = { gone: { command: "/nowhere/at-all" }, tools: rawServer("all") };
    await start({ mcpServers });
    await signIn();
    await runAgent(["wait"], { home });
    const { code, lines } = await doctor();
    expect(code).toBe(1);
    const [line, ...more] = bad(lines, "upstream");
    expect(more).toEqual([]);
    expect(line?.message).toMatch(/^gone is unavailable: /u);
    expect(line?.message).toContain("was not found; install it, or correct the entry");
    expect(line?.mend).toBe("agent inspect gone");
    expect((await mend(line)).stdout).toContain("Reason: the command");
  });

  test("nobody is signed in to the running gateway", async () => {
    await start({ mcpServers: { tools: rawServer("all") } });
    const { lines } = await doctor();
    expect(bad(lines, "profile")).toEqual([
      {
        name: "profile",
        state: "warn",
        message: "Not signed in to the running gateway",
        mend: "agent auth login",
      },
    ]);
    const upstream = lines.filter(({ name }) => name === "upstream");
    expect(upstream.map(({ state, mend: by }) => [state, by])).toEqual([["ok", null]]);
    expect((await mend(bad(lines, "profile")[0])).code).toBe(0);
    expect(bad((await doctor()).lines, "profile")).toEqual([]);
  });

  test("files of certificates that are not there", async () => {
    const env = { ONEDOOR_CACERT: "/nowhere/ca.pem", NODE_EXTRA_CA_CERTS: "/nowhere/extra.pem" };
    const { code, lines } = await doctor(env);
    expect(code).toBe(1);
    expect(bad(lines, "certificates").map(({ state, mend: by }) => [state, by])).toEqual([
      ["fail", "unset ONEDOOR_CACERT"],
      ["warn", "unset NODE_EXTRA_CA_CERTS"],
    ]);
  });

  test("a configuration that is wrong, with its line", async () => {
    home.writeConfiguration('{\n  "mcpServers": {\n    "a": { "comand": "x" }\n  }\n}');
    const { code, lines } = await doctor();
    expect(code).toBe(1);
    const [line] = bad(lines, "configuration");
    expect(line?.message).toMatch(/^~\/\.config\/onedoor\/mcp\.json:3: mcpServers\.a/u);
    expect(line?.mend).toBe('"${EDITOR:-vi}" +3 ~/.config/onedoor/mcp.json');
  });

  test("a configuration that others may write", async () => {
    chmodSync(home.writeConfiguration({}), 0o666);
    const { lines } = await doctor();
    const [line] = bad(lines, "configuration");
    expect(line?.message).toContain("group or others may write it");
    await mend(line);
    expect(bad((await doctor()).lines, "configuration")).toEqual([]);
  });

  test("directories that others may write", async () => {
    home.writeConfiguration({});
    chmodSync(home.configDir, 0o777);
    const { code, lines } = await doctor();
    expect(code).toBe(1);
    await mend(bad(lines, "directories")[0]);
    expect(bad((await doctor()).lines, "directories")).toEqual([]);
  });

  test("a state directory that a gateway without a runtime file holds", async () => {
    await start();
    const file = join(home.stateDir, "server.json");
    const kept = join(home.folder, "kept.json");
    cpSync(file, kept);
    await startProgram("/bin/rm", [file], { home }).ended;
    const { lines } = await doctor();
    const [line] = bad(lines, "gateway");
    expect(line).toMatchObject({ state: "fail", mend: `kill ${gateway?.record.pid}` });
    await mend(line);
    await gateway?.agent.ended;
    gateway = undefined;
    expect(bad((await doctor()).lines, "gateway")[0]?.mend).toMatch(/^agent serve --background/u);
  });

  test("a secret of a server that is not kept, and one that is", async () => {
    const mcpServers = { tools: { ...rawServer("all"), env: { KEY: "${secret:tools/KEY}" } } };
    home.writeConfiguration({ mcpServers });
    const { lines } = await doctor();
    const [line] = bad(lines, "configuration");
    expect(line?.message).toContain("the secret tools/KEY is not kept on this machine");
    expect(line?.mend).toBe("agent mcp add tools --env KEY --replace");
    expect((await mend(line, " <<E\nplanted-secret-9\nE\n")).code).toBe(0);
    expect(bad((await doctor()).lines, "configuration")).toEqual([]);
  });

  test.each([
    [70, "warn"],
    [3600, "fail"],
    [-3600, "fail"],
    [2, "ok"],
  ])("a clock that is %i s behind a server's: %s", async (seconds, state) => {
    server = createServer((_request, response) => {
      const date = new Date(Date.now() + seconds * 1000).toUTCString();
      response.writeHead(200, { date, "content-type": "application/json" }).end("{}");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${portOf(server)}`;
    const options = ["--url", url, "--no-verify", "--token", "od_of_a_server_with_a_clock"];
    await signIn(options);
    const { lines } = await doctor();
    const line = lines.find(({ name }) => name === "clock");
    expect(line?.state).toBe(state);
    expect(line?.message).toMatch(state === "ok" ? /^As on/u : seconds > 0 ? /behind/u : /ahead/u);
  });
});

test("variables that win over profiles are named, without what they hold", async () => {
  const env = { ONEDOOR_TOKEN: "planted-token-1", ONEDOOR_URL: "https://e.example/planted-2" };
  const { lines, stdout } = await doctor({ ...env, ONEDOOR_FORMAT: "json" });
  expect(bad(lines, "environment").map(({ mend: by }) => by)).toEqual([
    "unset ONEDOOR_TOKEN",
    "unset ONEDOOR_URL",
  ]);
  expect(stdout).toContain("Also set: ONEDOOR_FORMAT");
  expect(stdout).not.toContain("planted");
});

test.each([["text"], ["json"]])("no secret is in it, nor who one is: %s", async (format) => {
  const planted = {
    env: "planted-env-secret-11",
    header: "planted-header-12345",
    environment: "planted-environment-1",
    proxy: "planted-proxy-password",
    profile: "planted-profile-token-1",
  };
  await start({
    mcpServers: {
      leaks: { ...rawServer("leak-environment"), env: { SECRET: planted.env } },
      web: {
        url: "http://127.0.0.1:9/mcp",
        headers: { Authorization: `Bearer ${planted.header}` },
      },
    },
  });
  await signIn();
  const elsewhere = ["--url", "https://gw.example.test", "--no-verify", "--token", planted.profile];
  await signIn(elsewhere);
  const file = profileFile();
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/"who": ?"[^"]*"/u, '"who": "annette.secret@example.com"'));
  const env = {
    ONEDOOR_TOKEN: planted.environment,
    HTTPS_PROXY: `http://user:${planted.proxy}@127.0.0.1:9`,
  };
  const { stdout, stderr } = await runAgent(["doctor", "--format", format], { home, env });
  for (const secret of Object.values(planted)) expect(stdout + stderr).not.toContain(secret);
  expect(stdout + stderr).not.toContain("annette.secret");
  expect(stdout + stderr).not.toContain(home.folder);
  expect(stdout).toContain("is reached through http://127.0.0.1:9 (HTTPS_PROXY)");
  expect(stdout).toContain("leaks is unavailable");
  expect(relative(home.folder, file)).not.toBe("");
});
