import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(
  new URL(
    "../../../node_modules/@modelcontextprotocol/server-everything/dist/index.js",
    import.meta.url,
  ),
);

export interface EverythingServer {
  /** Its MCP endpoint. */
  url: string;
  close(): Promise<void>;
}

/** The real server-everything in one of its HTTP modes; resolves when it listens. */
export async function startEverything(
  mode: "streamableHttp" | "sse" = "streamableHttp",
): Promise<EverythingServer> {
  const port = await freePort();
  const child = spawn(process.execPath, [program, mode], {
    env: { PATH: process.env["PATH"], PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => {
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (/listening on port|running on port/u.test(said)) resolve();
    });
    child.once("close", () => {
      reject(new Error(`server-everything ended: ${said}`));
    });
  });
  return {
    url: `http://127.0.0.1:${port}/${mode === "sse" ? "sse" : "mcp"}`,
    async close() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** It takes its port from the environment and cannot say which one it took, so one is found for it. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, "127.0.0.1", resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  return typeof address === "object" && address !== null ? address.port : 0;
}
