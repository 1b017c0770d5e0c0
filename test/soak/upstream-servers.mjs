import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const modules = fileURLToPath(new URL("../../node_modules/@modelcontextprotocol", import.meta.url));

/**
 * A real server over stdio, as an entry of `mcpServers`.
 * @param {string} name @param {string[]} args
 */
function realServer(name, ...args) {
  return {
    command: process.execPath,
    args: [join(modules, `server-${name}`, "dist", "index.js"), ...args],
  };
}

/** Starts a server of ours that listens on a port of loopback; it ends with its standard input. @param {string} file */
async function startHttpServer(file) {
  const path = fileURLToPath(new URL(`upstreams/${file}`, import.meta.url));
  const child = spawn(process.execPath, [path], { stdio: ["pipe", "pipe", "inherit"] });
  process.once("exit", () => child.kill("SIGKILL"));
  const ended = new Promise((resolve) => {
    child.once("close", resolve);
  });
  /** @type {number} */
  const port = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", (line) => resolve(JSON.parse(line).port));
    child.once("error", reject);
    child.once("close", () => reject(new Error(`${file} ended before it listened`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

/**
 * Upstream servers of every kind: three real ones over stdio, and ours of both eras over Streamable HTTP and
 * HTTP+SSE.
 * @param {string} folder for their files; made when it is missing
 */
export async function startUpstreamServers(folder) {
  const files = join(folder, "files");
  mkdirSync(files, { recursive: true });
  const readable = join(files, "readable.txt");
  writeFileSync(readable, "what stands in the file\n");
  const [legacy, modern] = await Promise.all([
    startHttpServer("legacy-upstream.mjs"),
    startHttpServer("modern-upstream.mjs"),
  ]);
  return {
    /** A file the filesystem server may read. */
    readable,
    mcpServers: {
      everything: realServer("everything"),
      filesystem: realServer("filesystem", files),
      memory: { ...realServer("memory"), env: { MEMORY_FILE_PATH: join(folder, "memory.jsonl") } },
      legacy: { url: `${legacy.url}/mcp` },
      old: { type: "sse", url: `${legacy.url}/sse` },
      modern: { url: `${modern.url}/mcp` },
    },
    async stop() {
      await Promise.all([legacy.stop(), modern.stop()]);
    },
  };
}
