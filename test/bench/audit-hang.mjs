import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "libsql";
import { createModernClient } from "../soak/modern-client.mjs";
import { startGateway } from "../soak/gateway.mjs";
import { pause, within } from "../soak/processes.mjs";
import { closeIdleConnections, exchange } from "../soak/wire.mjs";
import { startHolder } from "./hold-database.mjs";
import { median, ratioOf } from "./interleave.mjs";

const echo = fileURLToPath(new URL("../fixtures/echo-server.mjs", import.meta.url));
const token = "bench-0a6f4c9e17";
/** Of one measurement; a write that waits gives up after two seconds, so that each hanging one meets some. */
const roundMs = 2500;
/** The first calls after a change are not counted. */
const warmUpMs = 250;

/**
 * What a call costs while the storage of the audit hangs: another process holds the database, no row can be
 * written, the queue grows. One client calls one tool, one call after the other.
 * @type {import("./bench.mjs").Bench}
 */
export async function benchAuditHang({ progress, pairs }) {
  const gateway = await startGateway({
    auth: { type: "token", options: { token } },
    mcpServers: { echo: { command: process.execPath, args: [echo, "echo"] } },
  });
  const file = join(gateway.stateDir, "onedoor.db");
  const holder = startHolder(file);
  const reader = new Database(file, { readonly: true });
  let calls = 0;
  const client = createModernClient({
    url: gateway.url,
    token,
    name: "bench",
    onStray(text) {
      throw new Error(`a message that should not have come: ${text}`);
    },
  });

  /** @returns {Promise<number>} how long one call took, in milliseconds; rejects when it fails or answers wrong */
  const call = async () => {
    const text = String(++calls);
    const begun = performance.now();
    const result = await client.request("tools/call", {
      name: "echo__read",
      arguments: { text },
    });
    const ms = performance.now() - begun;
    if (result["content"]?.[0]?.text !== `echo read: {"text":"${text}"}`)
      throw new Error(`a wrong answer: ${JSON.stringify(result)}`);
    return ms;
  };
  const rows = () => {
    const [count] = reader.prepare("SELECT count(*) FROM mcp_audit_log").raw(true).all().flat();
    return Number(count);
  };
  /** Calls for as long as a round lasts. @returns {Promise<number[]>} how long each took, in milliseconds */
  const measure = async () => {
    const begun = performance.now();
    const times = [];
    for (;;) {
      const ms = await call();
      const atMs = performance.now() - begun;
      if (atMs > roundMs) return times;
      if (atMs > warmUpMs) times.push(ms);
    }
  };
  /** Resolves when rows are written at once again: those of the round before must not be written in the next. */
  const settle = async () => {
    let quiet = 0;
    const isQuiet = await within(30_000, async () => {
      const before = rows();
      await call();
      await pause(200);
      quiet = rows() === before + 1 ? quiet + 1 : 0;
      return quiet === 2;
    });
    if (!isQuiet) throw new Error("the audit is not written again within 30 s");
  };

  /** @type {{free: number[][], held: number[][]}} */
  const rounds = { free: [], held: [] };
  try {
    const isReady = await within(30_000, async () => {
      const { status } = await exchange(`${gateway.url}/health/ready`, { method: "GET" });
      return status === 200;
    });
    if (!isReady) throw new Error(`not ready within 30 s:\n${gateway.log}`);
    await measure();
    for (let pair = 1; pair <= pairs; pair++) {
      await settle();
      rounds.free.push(await measure());
      await settle();
      await holder.hold();
      const before = rows();
      rounds.held.push(await measure());
      const written = rows() - before;
      await holder.release();
      if (written !== 0) throw new Error(`${written} rows were written while it was held`);
      progress(`${pair} of ${pairs} pairs, ${calls} calls`);
    }
  } finally {
    reader.close();
    await holder.stop();
    closeIdleConnections();
    await gateway.stop();
  }
  const free = median(rounds.free.flat());
  const held = median(rounds.held.flat());
  return [
    {
      what: "a call while the audit's storage hangs, p50",
      value: ratioOf(rounds.held.map(median), rounds.free.map(median)),
      unit: "×",
      target: { most: 1.1 },
      detail: `${held.toFixed(3)} ms against ${free.toFixed(3)} ms while it writes, ${calls} calls in ${pairs} pairs`,
      figures: { hangingMs: held, writingMs: free, calls },
    },
  ];
}
