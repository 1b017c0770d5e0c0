import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openLegacyClient } from "../soak/legacy-client.mjs";
import { createModernClient } from "../soak/modern-client.mjs";
import { mainFile, runAgent, startAgent } from "./support/agent.ts";
import { startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { restClient } from "./support/rest.ts";
import type { Rest } from "./support/rest.ts";
import { echoServer, ownerToken } from "./support/team.ts";

const staticToken = "static-token-of-the-audit-0001";
const ownersToken = "static-token-of-an-administrator-0003";
const environmentSecret = "value-of-a-server-environment-77";
const configuration = {
  auth: [
    { type: "local" },
    {
      type: "token",
      options: {
        tokens: [
          { name: "owner", token: ownersToken },
          { name: "ci", token: staticToken },
          { name: "reader", token: "static-token-of-a-viewer-0002", role: "viewer" },
        ],
      },
    },
  ],
  rateLimit: { rpm: 0 },
  // By its name: what stands in the file itself is kept in the history of servers, as it must be to be restored.
  mcpServers: { echo: echoServer("echo", { env: { SECRET: "${TOOL_SECRET}" } }) },
};

let home: Home;
let gateway: RunningGateway | undefined;
let owner: Rest;
/** Signs in without a row of the audit, as minting a token has one. */
const signedIn = { ONEDOOR_TOKEN: ownersToken };

async function start(more: object = {}): Promise<RunningGateway> {
  const env = { TOOL_SECRET: environmentSecret };
  const started = await startGateway(home, { ...configuration, ...more }, { env });
  gateway = started;
  owner = restClient(started.url, ownersToken);
  expect(await runAgent(["wait"], { home, env: signedIn })).toMatchObject({ code: 0 });
  return started;
}

beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  home.remove();
});

type Row = Record<string, unknown> & { params: Record<string, unknown>; sequence: number };

/** All rows in the order of writing, once there are so many. */
async function rows(count: number, query = ""): Promise<Row[]> {
  let found: Row[] = [];
  await expect
    .poll(async () => {
      const answer = await owner("GET", `/api/v1/audit?order=oldest&limit=1000${query}`);
      found = answer.body.rows;
      return found.length;
    })
    .toBe(count);
  return found;
}

const call = (rest: Rest, args: object, tool = "read"): ReturnType<Rest> =>
  rest("POST", "/api/v1/tools/call", { server: "echo", tool, arguments: args });

const columns = [
  "client_name",
  "duration_ms",
  "id",
  "organization_id",
  "params",
  "project_id",
  "sequence",
  "session_id",
  "status",
  "time",
  "tool_name",
  "user_id",
];

describe("a row", () => {
  test("says who called what through which client, allowed or refused, nulls included", async () => {
    const { url } = await start();
    const project = join(home.folder, "shop");
    mkdirSync(project);
    writeFileSync(join(project, ".onedoorrc"), JSON.stringify({ project: "the-shop" }));
    const env = { ...signedIn, ONEDOOR_CLIENT_NAME: "my-editor", ONEDOOR_SESSION_ID: "task-7" };
    const run = ["run", "echo/read", "text=by-command"];
    expect(await runAgent(run, { home, env, cwd: project })).toMatchObject({ code: 0 });
    await call(restClient(url, staticToken), { text: "by-rest" });
    const client = { url, token: staticToken, onStray: () => undefined };
    const legacy = await openLegacyClient({ ...client, name: "old-client", listen: false });
    await legacy.request("tools/call", { name: "echo__read", arguments: { text: "by-legacy" } });
    const modern = createModernClient({ ...client, name: "new-client" });
    await modern.request("tools/call", { name: "echo__read", arguments: { text: "by-modern" } });
    await call(restClient(url, "static-token-of-a-viewer-0002"), { text: "denied" }, "write");
    await call(restClient(url, staticToken), { text: "not there" }, "nothing");
    await call(restClient(url, "no-such-token-0123456789"), { text: "never read" });

    const found = await rows(7);
    for (const row of found) {
      expect(Object.keys(row).toSorted()).toEqual(columns);
      expect(row["time"]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/u);
      expect(row["duration_ms"]).toBeGreaterThanOrEqual(0);
    }
    const common = { tool_name: "echo__read", status: "success", organization_id: null };
    const alone = { project_id: null, session_id: null };
    expect(found).toMatchObject([
      {
        ...common,
        params: { text: "by-command" },
        client_name: "my-editor",
        session_id: "task-7",
        project_id: "the-shop",
      },
      { ...common, ...alone, user_id: "ci", client_name: "unknown", params: { text: "by-rest" } },
      {
        ...common,
        user_id: "ci",
        client_name: "old-client",
        session_id: legacy.sessionId,
        project_id: null,
      },
      { ...common, ...alone, user_id: "ci", client_name: "new-client" },
      {
        ...common,
        tool_name: "echo__write",
        status: "denied",
        user_id: "reader",
        params: { text: "denied" },
      },
      { ...common, tool_name: "echo__nothing", status: "error", user_id: "ci" },
      { ...common, tool_name: "unknown", status: "denied", user_id: null, params: {} },
    ]);
  });

  test("holds no secret: not by its key, not by its value, not inside JSON inside a text", async () => {
    const { url } = await start();
    const token = await ownerToken(home);
    const inner = JSON.stringify({
      password: "hunter2-of-the-test",
      list: [{ api_key: "k-1234567" }],
    });
    const args = {
      password: "plain-password-1",
      deep: { Authorization: "custom 1234567", list: [{ secretKey: "deep-secret-99" }] },
      text: `nested ${JSON.stringify({ note: token })}`,
      json: JSON.stringify({ inner, token: 12_345_678 }),
      own: `my bearer is ${token}.`,
      another: `the other's is ${staticToken}`,
      environment: `it runs with ${environmentSecret}`,
      kept: "an ordinary word",
    };
    expect(await call(restClient(url, token), args)).toMatchObject({ status: 200 });
    const byStatic = { mine: staticToken, text: `x${staticToken}y` };
    expect(await call(restClient(url, staticToken), byStatic)).toMatchObject({ status: 200 });
    const [minted, row] = await rows(3);
    expect(minted).toMatchObject({ tool_name: "auth/cli-token", status: "success" });
    expect(row?.params).toMatchObject({ password: "[redacted]", kept: "an ordinary word" });
    await gateway?.stop();
    gateway = undefined;
    const secrets = [
      "plain-password-1",
      "custom 1234567",
      "deep-secret-99",
      "hunter2-of-the-test",
      "k-1234567",
      "12345678",
      token,
      ownersToken,
      staticToken,
      environmentSecret,
    ];
    for (const file of readdirSync(home.stateDir)) {
      const bytes = readFileSync(join(home.stateDir, file), "latin1");
      for (const secret of secrets) expect([file, bytes.includes(secret)]).toEqual([file, false]);
    }
  });

  test("is written before a clean stop ends, however many wait", async () => {
    const running = await start();
    const texts = Array.from({ length: 1000 }, (_, index) => `call-${index}`);
    // Another program holds the database until the end has begun: nothing is written before.
    const database = new Database(join(home.stateDir, "onedoor.db"));
    database.exec("BEGIN IMMEDIATE");
    await Promise.all(texts.map((text) => call(owner, { text })));
    running.agent.process.kill("SIGTERM");
    await running.agent.waitFor("stderr", /Ending/u);
    database.exec("ROLLBACK");
    expect(await running.agent.ended).toMatchObject({ code: 0 });
    gateway = undefined;
    const params = database.prepare("SELECT params FROM mcp_audit_log").raw(true).all().flat();
    database.close();
    const written = params.map((text): unknown => JSON.parse(String(text)).text);
    expect(written).toHaveLength(texts.length);
    expect(new Set(written)).toEqual(new Set(texts));
  });

  test("is forgotten when it is older than the configuration keeps rows", async () => {
    const first = await start();
    await call(owner, { text: "young" });
    await rows(1);
    await first.stop();
    const database = new Database(join(home.stateDir, "onedoor.db"));
    const dayMs = 24 * 60 * 60 * 1000;
    for (const [id, days] of [
      ["old", 3],
      ["just-kept", 1.9],
    ] as const) {
      database
        .prepare(
          "INSERT INTO mcp_audit_log (id, tool_name, params, status, duration_ms, client_name, created_at) VALUES (?, ?, '{}', 'success', 1, 'c', ?)",
        )
        .run([id, id, Date.now() - days * dayMs]);
    }
    database.close();
    await start({ audit: { retentionDays: 2 } });
    const found = await rows(2);
    expect(found.map((row) => row["tool_name"])).toEqual(["echo__read", "just-kept"]);
  });
});

const ask = async (...args: string[]): Promise<Row[]> => {
  const { code, stdout, stderr } = await runAgent(["audit", "--json", ...args], { home });
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
};

describe("agent audit", () => {
  test("filters, and gives rows under the contract's names", async () => {
    await start();
    for (const text of ["one", "two"]) await call(owner, { text });
    await call(owner, {}, "write");
    await rows(3);
    const [row] = await ask("--tool", "*write");
    expect(Object.keys(row ?? {}).toSorted()).toEqual(columns);
    expect((await ask("--tool", "echo__r?ad")).map(({ params }) => params["text"])).toEqual([
      "one",
      "two",
    ]);
    expect(await ask("--status", "denied")).toEqual([]);
    expect(await ask("--since", "1h")).toHaveLength(3);
    expect(await ask("--until", "1h")).toEqual([]);
    expect(await ask("--limit", "1")).toMatchObject([{ tool_name: "echo__write" }]);
  });

  test("follows, and ends with Ctrl-C", async () => {
    await start();
    await call(owner, { text: "before" });
    await rows(1);
    const following = startAgent(["audit", "--follow", "--json"], { home });
    await following.waitFor("stdout", /"before"/u);
    await call(owner, { text: "after" });
    await following.waitFor("stdout", /"after"/u);
    following.process.kill("SIGINT");
    const { code, stdout } = await following.ended;
    expect(code).toBe(130);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(lines).toMatchObject([{ params: { text: "before" } }, { params: { text: "after" } }]);
  });

  test("exports JSON lines and CSV whole, formulas as text, into a private file", async () => {
    const { url } = await start();
    const evil = '=HYPERLINK("http://x","y")';
    await owner(
      "POST",
      "/api/v1/tools/call",
      { server: "echo", tool: "read", arguments: { text: 'a "quoted", text' } },
      { "x-onedoor-client": evil, "x-onedoor-session": "@SUM(1)", "x-onedoor-project": "-1+1" },
    );
    await Promise.all(Array.from({ length: 1200 }, () => call(restClient(url, staticToken), {})));
    await expect
      .poll(async () => (await owner("GET", "/api/v1/audit?limit=1")).body.rows[0].sequence)
      .toBe(1201);
    const csv = join(home.folder, "audit.csv");
    expect(await runAgent(["audit", "--format", "csv", "-o", csv], { home })).toMatchObject({
      code: 0,
    });
    expect(statSync(csv).mode & 0o777).toBe(0o600);
    const lines = readFileSync(csv, "utf8").trimEnd().split("\r\n");
    expect(lines).toHaveLength(1202);
    expect(lines[0]?.split(",").toSorted()).toEqual(columns);
    expect(lines[1]).toContain('"\'=HYPERLINK(""http://x"",""y"")"');
    expect(lines[1]).toContain('"\'@SUM(1)"');
    expect(lines[1]).toContain('"\'-1+1"');
    expect(lines[1]).toContain('"{""text"":""a \\""quoted\\"", text""}"');
    const jsonl = await runAgent(["audit", "--format", "jsonl"], { home });
    expect(jsonl.code).toBe(0);
    const parsed = jsonl.stdout
      .trimEnd()
      .split("\n")
      .map((line): Row => JSON.parse(line));
    expect(parsed).toHaveLength(1201);
    expect(parsed[0]).toMatchObject({ client_name: evil, params: { text: 'a "quoted", text' } });
    expect(parsed.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 1201 }, (_, index) => index + 1),
    );
  });
});

/** What a command writes to a terminal (util-linux's script gives it one). */
function onTerminal(args: readonly string[], { env, folder }: Home): Promise<string> {
  const line = [process.execPath, mainFile, ...args].map((word) => `'${word}'`).join(" ");
  const options = { env: { ...env, NO_COLOR: "1", TERM: "dumb" }, cwd: folder };
  return new Promise((resolve, reject) => {
    execFile("script", ["-qec", line, "/dev/null"], options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
}

describe("what a client writes into a call", () => {
  const escape = "\u001b[2J\u001b]0;title\u0007";
  const evil = `x'; DROP TABLE mcp_audit_log; --\r\n{"level":50,"msg":"forged"}${escape}`;

  test("is never SQL, a log line, a header or a terminal's command", async () => {
    const { url, agent } = await start();
    const client = { url, token: staticToken, onStray: () => undefined };
    const modern = createModernClient({ ...client, name: evil });
    await modern.request("tools/call", { name: "echo__read", arguments: { text: evil } });
    const refused = await owner("POST", "/api/v1/tools/call", { server: evil, tool: evil });
    expect(refused.status).toBe(404);
    await owner("POST", "/api/v1/tools/call", { server: "echo", tool: evil });
    expect([...refused.headers.keys()]).not.toContain("set-cookie");
    const found = await rows(3);
    // What was sent to the tool stays as it is; names are one line.
    expect(found[0]?.params).toEqual({ text: evil });
    for (const column of ["client_name", "tool_name"]) {
      for (const row of found) expect(row[column]).not.toMatch(/[\r\n]/u);
    }
    // A pipe gets names as they are, on one line each; on a terminal they are escaped.
    const piped = await runAgent(["audit"], { home });
    expect(piped.stdout.trimEnd().split("\n")).toHaveLength(1 + found.length);
    const shown = await onTerminal(["audit"], home);
    expect(shown).toContain("DROP TABLE");
    expect(shown).not.toMatch(/[^\P{Cc}\r\n]/u);
    const log = agent.stderr.split("\n").filter((line) => line.startsWith("{"));
    for (const line of log) expect(JSON.parse(line).msg).not.toBe("forged");
  });

  test("nor is a filter or an id", async () => {
    await start();
    await call(owner, {});
    await rows(1);
    for (const name of ["user", "organization", "project", "session", "client", "tool"]) {
      const path = `/api/v1/audit?${name}=${encodeURIComponent("x' OR '1'='1")}`;
      expect((await owner("GET", path)).body.rows).toEqual([]);
    }
    for (const path of [
      "/api/v1/audit?limit=1001",
      "/api/v1/audit?limit=1;DROP",
      "/api/v1/audit?x=1",
    ]) {
      expect(await owner("GET", path)).toMatchObject({ status: 400 });
    }
    for (const id of ["a b", "A", "x'--", "../etc", "a\u0000", "x".repeat(101), ""]) {
      expect(await owner("POST", "/api/v1/admin/organizations", { id })).toMatchObject({
        status: 400,
      });
      expect(await owner("POST", "/api/v1/admin/users", { id })).toMatchObject({ status: 400 });
    }
    expect((await owner("GET", "/api/v1/admin/organizations")).body.organizations).toEqual([]);
    await rows(1);
  });
});
