/**
 * One line of the table.
 * @typedef {object} Row
 * @property {string} what
 * @property {number} value what is compared with the target
 * @property {"×" | "MiB" | "MB" | "packages" | "ms" | "s" | ""} unit
 * @property {{most?: number, least?: number}} [target] none: the figure is only said
 * @property {string} detail for example "49.1 ms against 46.8 ms, 11 pairs"
 * @property {Record<string, number>} [figures] what it was made of, for benchmarks.json
 */
/**
 * @typedef {object} BenchTools
 * @property {(text: string) => void} progress what it is at, in a few words
 * @property {number} pairs how many pairs a ratio is the median of, at least
 */
/** @typedef {(tools: BenchTools) => Promise<Row[]>} Bench rejects when a call fails or is answered with an error */

/**
 * Everything that is measured, in the order of the table, by the name `--only` knows it by. Each is loaded when
 * it is its turn: a benchmark that cannot be loaded fails alone.
 * @type {Readonly<Record<string, {about: string, run: Bench}>>}
 */
export const benches = {
  start: {
    about: "how long the commands take, against node -e 0",
    run: async (tools) => (await import("./start.mjs")).benchStart(tools),
  },
  memory: {
    about: "the most memory that the commands hold, against node -e 0",
    run: async (tools) => (await import("./memory.mjs")).benchMemory(tools),
  },
  package: {
    about: "how many packages and bytes npm install brings",
    run: async (tools) => (await import("./package.mjs")).benchPackage(tools),
  },
  call: {
    about: "a call through the gateway: p50, throughput and CPU, against calling directly",
    run: async (tools) => (await import("./call.mjs")).benchCall(tools),
  },
  ready: {
    about: "/health and three stdio servers ready after the start, against the floor",
    run: async (tools) => (await import("./ready.mjs")).benchReady(tools),
  },
  idle: {
    about: "the gateway's own memory, idle, with three stdio servers",
    run: async (tools) => (await import("./idle.mjs")).benchIdle(tools),
  },
  growth: {
    about: "the gateway's memory after 100,000 calls, against after 1,000",
    run: async (tools) => (await import("./growth.mjs")).benchGrowth(tools),
  },
  lists: {
    about: "tools/list and memory with up to 1,000 tools and 100 servers",
    run: async (tools) => (await import("./lists.mjs")).benchLists(tools),
  },
  sessions: {
    about: "a call while 200 sessions call, against one session at the same rate",
    run: async (tools) => (await import("./sessions.mjs")).benchSessions(tools),
  },
  "audit-hang": {
    about: "a call while the storage of the audit hangs, against one while it writes",
    run: async (tools) => (await import("./audit-hang.mjs")).benchAuditHang(tools),
  },
};
