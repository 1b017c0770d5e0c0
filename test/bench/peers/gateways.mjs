import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { authorization, everythingOn } from "../gateway.mjs";
import { openSession } from "../mcp-clients.mjs";
import { openSseSession } from "./sse-session.mjs";

/** The server behind a gateway, as the entry of `mcpServers`. @typedef {{url: string} | {command: string, args: string[]}} Upstream */
/** @typedef {"http" | "stdio"} Behind what the gateway speaks to the server */
/**
 * How a gateway is driven, as its own documentation has it and with its defaults.
 * @typedef {object} Gateway
 * @property {string} package the key of its package: of `peers`, or `onedoor`
 * @property {string} bin
 * @property {readonly Behind[]} behind what it can have behind it
 * @property {string[]} nodeArgs
 * @property {(options: {home: string, port: number, upstream: Upstream}) => string[]} prepare writes its files; its
 *   arguments
 * @property {(client: import("../http-client.mjs").HttpClient) => Promise<import("../mcp-clients.mjs").Ask>} open
 * @property {string} note what is to be known when its figures are read
 * @property {string} tool the name under which it offers `echo`
 */

const onlyLoopback = fileURLToPath(new URL("../programs/only-loopback.mjs", import.meta.url));

/** @param {string} folder @param {string} name @param {object} content */
function writeJson(folder, name, content) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
  return file;
}

/** By title. @type {Readonly<Record<string, Gateway>>} */
export const gateways = {
  OneDoor: {
    package: "onedoor",
    bin: "agent",
    behind: ["http", "stdio"],
    nodeArgs: [],
    prepare({ home, port, upstream }) {
      const configuration = { ...everythingOn, mcpServers: { everything: upstream } };
      writeJson(join(home, ".config", "onedoor"), "mcp.json", configuration);
      return ["serve", "--port", String(port)];
    },
    open: (client) => openSession(client, { authorization }),
    note: "authentication, role, rate limit, arguments checked, audit to SQLite",
    tool: "everything__echo",
  },
  "mcp-hub": {
    package: "mcp-hub",
    bin: "mcp-hub",
    behind: ["http", "stdio"],
    // It has no option for the address.
    nodeArgs: [`--import=${onlyLoopback}`],
    prepare({ home, port, upstream }) {
      // At each start it fetches a list of servers from the network and waits for it, unless it has a recent one.
      writeJson(join(home, ".data", "mcp-hub", "cache"), "registry.json", {
        registry: { version: "1", generatedAt: 0, totalServers: 1, servers: [{ id: "none" }] },
        lastFetchedAt: Date.now(),
        serverDocumentation: {},
      });
      const file = writeJson(home, "mcp.json", { mcpServers: { everything: upstream } });
      return ["--port", String(port), "--config", file];
    },
    open: (client) => openSseSession(client, "/mcp"),
    note: "no authentication; its clients speak HTTP+SSE",
    tool: "everything__echo",
  },
  "mcp-proxy": {
    package: "mcp-proxy",
    bin: "mcp-proxy",
    behind: ["stdio"],
    nodeArgs: [],
    prepare({ port, upstream }) {
      const server = "command" in upstream ? [upstream.command, ...upstream.args] : [];
      return ["--host", "127.0.0.1", "--port", String(port), "--", ...server];
    },
    open: (client) => openSession(client, {}),
    note: "no authentication",
    tool: "echo",
  },
};
