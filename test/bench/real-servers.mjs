import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, startNode } from "./child-process.mjs";

/** @param {string} name */
const fileOf = (name) =>
  fileURLToPath(
    new URL(
      `../../node_modules/@modelcontextprotocol/server-${name}/dist/index.js`,
      import.meta.url,
    ),
  );

/** Started without arguments it speaks stdio. */
export const everythingFile = fileOf("everything");
/** It has no option for the address. */
const onlyLoopback = fileURLToPath(new URL("programs/only-loopback.mjs", import.meta.url));

/** The tool of server-everything that says back what it is told. */
export const echoTool = {
  server: "everything",
  name: "echo",
  argument: "message",
  /** @param {string} text */
  answer: (text) => `Echo: ${text}`,
};

/** Starts server-everything over Streamable HTTP, on a free port. */
export async function startEverything() {
  const port = await freePort();
  const child = startNode([`--import=${onlyLoopback}`, everythingFile, "streamableHttp"], {
    env: { PATH: process.env["PATH"], PORT: String(port) },
    // What it writes about each request is read by nobody.
    stdio: ["ignore", "ignore", "pipe"],
  });
  await child.said(/listening on port (\d+)/u);
  return { port, pid: child.pid, url: `http://127.0.0.1:${port}/mcp`, stop: () => child.stop() };
}

/** Three real servers over stdio, as `mcpServers` of a configuration, with a folder for what they keep. */
export function threeStdioServers() {
  const folder = mkdtempSync(join(tmpdir(), "onedoor-bench-files-"));
  const files = join(folder, "files");
  mkdirSync(files);
  return {
    mcpServers: {
      everything: { command: process.execPath, args: [everythingFile] },
      filesystem: { command: process.execPath, args: [fileOf("filesystem"), files] },
      memory: {
        command: process.execPath,
        args: [fileOf("memory")],
        env: { MEMORY_FILE_PATH: join(folder, "memory.jsonl") },
      },
    },
    remove() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
