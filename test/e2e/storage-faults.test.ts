import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mainFile, runAgent } from "./support/agent.ts";
import { startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { restClient } from "./support/rest.ts";
import { echoServer } from "./support/team.ts";

const token = "static-token-of-the-storage-tests";
const configuration = {
  auth: { type: "token", options: { token } },
  rateLimit: { rpm: 0 },
  mcpServers: { echo: echoServer("echo") },
};

let home: Home;
let gateway: RunningGateway | undefined;
let limited: ChildProcess | undefined;
beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  await stopLimited();
  home.remove();
});

async function stopLimited(): Promise<void> {
  if (limited === undefined) return;
  const ended = once(limited, "close");
  limited.kill("SIGTERM");
  await ended;
  limited = undefined;
}

const database = (): string => join(home.stateDir, "onedoor.db");

describe("a database of a newer program", () => {
  test("is refused with a clear message, and left as it is", async () => {
    gateway = await startGateway(home, configuration);
    await gateway.stop();
    gateway = undefined;
    const opened = new Database(database());
    opened
      .prepare("INSERT INTO schema_migrations (version, name, applied_at) VALUES (99, 'later', 0)")
      .run([]);
    opened.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    opened.close();
    const before = readFileSync(database());
    const { code, stdout, stderr } = await runAgent(["serve", "--port", "0"], { home });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/onedoor\.db was written by a newer version .*schema 99/u);
    expect(stderr).toContain("npm install");
    expect(readFileSync(database())).toEqual(before);
    expect(readdirSync(home.stateDir).join()).not.toMatch(/corrupt|server\.json/u);
  });
});

describe("a database that is damaged", () => {
  test("is reported, set aside whole and never overwritten; who was in it is nobody any more", async () => {
    gateway = await startGateway(home, configuration);
    expect(await runAgent(["org", "add", "acme"], { home })).toMatchObject({ code: 0 });
    await gateway.stop();
    const bytes = readFileSync(database());
    bytes.fill(0x5a, 1024, bytes.length - 1024);
    writeFileSync(database(), bytes);
    gateway = await startGateway(home, configuration);
    const aside = readdirSync(home.stateDir).filter((name) => /\.corrupt-[^-]+$/u.test(name));
    expect(aside).toHaveLength(1);
    expect(gateway.agent.stderr).toContain(aside[0]);
    expect(readFileSync(join(home.stateDir, aside[0] ?? ""))).toEqual(bytes);
    const { stdout } = await runAgent(["org", "list", "--json"], { home });
    expect(JSON.parse(stdout)).toEqual([]);
    await gateway.stop();
    gateway = await startGateway(home, configuration);
    expect(readFileSync(join(home.stateDir, aside[0] ?? ""))).toEqual(bytes);
    expect(gateway.agent.stderr).not.toContain("corrupt");
  });

  test("is not begun anew where it only cannot be read", async () => {
    gateway = await startGateway(home, configuration);
    await gateway.stop();
    gateway = undefined;
    const opened = statSync(database());
    const other = new Database(database());
    other.exec("BEGIN EXCLUSIVE");
    const { code, stderr } = await runAgent(["serve", "--port", "0"], { home });
    other.exec("ROLLBACK");
    other.close();
    expect(code).toBe(1);
    expect(stderr).toContain("onedoor.db");
    expect(statSync(database()).ino).toBe(opened.ino);
    expect(readdirSync(home.stateDir).join()).not.toContain("corrupt");
  });
});

/** The gateway, of whose files none may grow beyond so many KiB: as a write to a full disk fails (EFBIG). */
async function startLimited(kib: number): Promise<string> {
  home.writeConfiguration(configuration);
  const child = spawn(
    "bash",
    [
      "-c",
      'ulimit -f "$0" && exec "$@"',
      String(kib),
      process.execPath,
      mainFile,
      "serve",
      "--port",
      "0",
    ],
    { env: { ...home.env }, cwd: home.folder, stdio: ["ignore", "ignore", "pipe"] },
  );
  limited = child;
  let text = "";
  return new Promise((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const url = /(?<=Listening on )http:\/\/[\d.:]+/u.exec(text)?.[0];
      if (url !== undefined) resolve(url);
    });
    child.once("close", () => reject(new Error(`ended: ${text}`)));
  });
}

describe("a disk that is full", () => {
  test("fails no call; what is lost is counted, and what was written stays", async () => {
    const url = await startLimited(600);
    const rest = restClient(url, token);
    expect(await runAgent(["wait", "--url", url, "--token", token], { home })).toMatchObject({
      code: 0,
    });
    const health = async (): Promise<{ queued: number; dropped: number }> =>
      (await rest("GET", "/health/ready")).body.audit;
    expect(await health()).toMatchObject({ dropped: 0 });
    const call = { server: "echo", tool: "read", arguments: { text: "x".repeat(7000) } };
    // Rows are written many at once, and of those that come now no such batch may fit any more.
    expect(await rest("POST", "/api/v1/tools/call", call)).toMatchObject({ status: 200 });
    await expect.poll(async () => (await health()).queued, { timeout: 10_000 }).toBe(0);
    let calls = 1;
    await expect
      .poll(
        async () => {
          const answers = await Promise.all(
            Array.from({ length: 50 }, () => rest("POST", "/api/v1/tools/call", call)),
          );
          calls += answers.length;
          expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
          return (await health()).dropped;
        },
        { timeout: 60_000 },
      )
      .toBeGreaterThan(0);
    const metrics = await rest("GET", "/metrics");
    const [, counted] = /^onedoor_audit_dropped_events_total (\d+)$/mu.exec(metrics.text) ?? [];
    expect(Number(counted)).toBeGreaterThan(0);
    // Small changes may still fit where a batch of rows did not. One that does not says so, and was not made.
    const made: string[] = [];
    const add = async (): Promise<Awaited<ReturnType<typeof rest>>> => {
      const answer = await rest("POST", "/api/v1/admin/organizations", { id: `o${made.length}` });
      if (answer.status === 201) made.push(`o${made.length}`);
      return answer;
    };
    await expect
      .poll(add, { timeout: 60_000, interval: 1 })
      .toMatchObject({ status: 503, body: { error: { code: "store_unavailable" } } });
    const listed = await rest("GET", "/api/v1/admin/organizations?limit=1000");
    const ids = listed.body.organizations.map(({ id }: { id: string }) => id);
    expect(ids.toSorted()).toEqual(made.toSorted());

    await stopLimited();
    // With room again all is as it was.
    gateway = await startGateway(home, configuration);
    expect(gateway.agent.stderr).not.toContain("corrupt");
    const again = restClient(gateway.url, token);
    const { rows } = (await again("GET", "/api/v1/audit?order=oldest&limit=1000")).body;
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.length).toBeLessThan(calls);
    const id = `o${made.length}`;
    expect(await again("POST", "/api/v1/admin/organizations", { id })).toMatchObject({
      status: 201,
    });
  });
});

describe("a database that another program holds", () => {
  test("slows no call and fails none, and its rows come when it is free again", async () => {
    gateway = await startGateway(home, configuration);
    const { url } = gateway;
    const rest = restClient(url, token);
    expect(await runAgent(["wait", "--url", url, "--token", token], { home })).toMatchObject({
      code: 0,
    });
    const other = new Database(database());
    other.exec("BEGIN EXCLUSIVE");
    const call = { server: "echo", tool: "read", arguments: { text: "while it hangs" } };
    for (let left = 20; left > 0; left--) {
      expect(await rest("POST", "/api/v1/tools/call", call)).toMatchObject({ status: 200 });
    }
    expect((await rest("GET", "/health/ready")).body.audit).toMatchObject({ dropped: 0 });
    other.exec("ROLLBACK");
    other.close();
    await expect
      .poll(async () => (await rest("GET", "/api/v1/audit?limit=1000")).body.rows.length, {
        timeout: 10_000,
      })
      .toBe(20);
  });
});
