import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { environmentIn } from "../soak/gateway.mjs";
import { pause } from "../soak/processes.mjs";
import { freePort, startNode } from "./child-process.mjs";
import { createHttpClient } from "./http-client.mjs";

const mainFile = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
/** The bearer of the one user that it knows. */
export const token = "bench-ann-5f0c7a1e9b";

/** How often it is asked how far it is: often enough to count for nothing, seldom enough to cost nothing. */
const stepMs = 10;

/** What lets a client in. */
export const authorization = { authorization: `Bearer ${token}` };

/**
 * Everything that a call passes is on: authentication, a role that is asked for (an editor's; nothing says that the
 * tools only read), a window that counts and never ends, arguments checked by schema, audit to SQLite.
 */
export const everythingOn = {
  rateLimit: { rpm: 1_000_000 },
  auth: { type: "token", options: { tokens: [{ name: "ann", token, role: "editor" }] } },
};

/** @typedef {Awaited<ReturnType<typeof startGateway>>} BenchGateway */

/**
 * Starts the built gateway as a user does, in a home of its own, with everything on.
 * @param {Record<string, object>} mcpServers
 */
export async function startGateway(mcpServers) {
  const folder = mkdtempSync(join(tmpdir(), "onedoor-bench-"));
  const configDir = join(folder, ".config", "onedoor");
  mkdirSync(configDir, { recursive: true, mode: 0o700 });
  const file = join(configDir, "mcp.json");
  writeFileSync(file, JSON.stringify({ ...everythingOn, mcpServers }), { mode: 0o600 });
  const port = await freePort();
  const startedAt = performance.now();
  const child = startNode([mainFile, "serve", "--port", String(port)], {
    env: environmentIn(folder),
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const client = createHttpClient(port);
  const [healthyAt] = await Promise.all([
    firstHealth(client, child),
    child.said(/(Listening) on/u),
  ]);
  const total = Object.keys(mcpServers).length;
  return {
    port,
    pid: child.pid,
    /** When its process was started, by `performance.now()`. */
    startedAt,
    client,
    /** When it was first heard that it lives, by `performance.now()`. */
    healthyAt,
    /** Resolves when every upstream server is ready; rejects when one is unavailable, or not ready within a minute. */
    async ready() {
      const end = performance.now() + 60_000;
      for (;;) {
        const { status, text } = await client.send("GET", "/health/ready", {});
        if (status === 200 && JSON.parse(text).upstreams.ready === total) return;
        if (status === 200 || performance.now() > end)
          throw new Error(`not every server is ready: ${text}\n${child.output}`);
        await pause(stepMs);
      }
    },
    /** Nothing of it is left when the promise resolves. */
    async stop() {
      client.stop();
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Asks for `/health` until it is answered.
 * @param {import("./http-client.mjs").HttpClient} client
 * @param {import("./child-process.mjs").Started} child
 * @returns {Promise<number>} when the answer was there, by `performance.now()`
 */
async function firstHealth(client, child) {
  while (!child.hasEnded) {
    // Nobody listens yet.
    const answer = await client.send("GET", "/health", {}).catch(() => undefined);
    if (answer?.status === 200) return performance.now();
    if (answer !== undefined) throw new Error(`/health: ${answer.status} ${answer.text}`);
    await pause(stepMs);
  }
  throw new Error(`The gateway ended:\n${child.output}`);
}
