import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

/** A file of a package that `npm run test:foreign` installed into this folder. */
export const installed = (path: string): string =>
  fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url));

/** Most of these programs need a newer Node than the project does: the platform's package brings one, without an install script. */
export const node24 = installed(`node-${process.platform}-${process.arch}/bin/node`);

/** A server of this folder. */
export const fastmcpServer = fileURLToPath(
  new URL("../servers/fastmcp-server.mjs", import.meta.url),
);

export interface HttpServerProgram {
  /** Of its MCP endpoint. */
  url: string;
  stop(): Promise<void>;
}

/** Starts a program that serves MCP at `/mcp` of the port it is told, and resolves once it listens. */
export async function startHttpProgram(
  command: (port: number) => { args: readonly string[]; env?: Readonly<Record<string, string>> },
): Promise<HttpServerProgram> {
  if (!existsSync(node24))
    throw new Error(`${node24} is missing: npm run test:foreign installs it`);
  const port = await freePort();
  const { args, env = {} } = command(port);
  const child = spawn(node24, args, {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stopAtExit = (): void => void child.kill("SIGKILL");
  process.once("exit", stopAtExit);
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
  });
  let output = "";
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        output = (output + chunk).slice(-5000);
        if (/listening|running on HTTP/iu.test(output)) resolve();
      });
    }
    child.once("error", reject);
    void ended.then(() => reject(new Error(`${args.join(" ")} ended:\n${output}`)));
  });
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async stop() {
      child.kill("SIGKILL");
      process.off("exit", stopAtExit);
      await ended;
    },
  };
}

/** These programs cannot choose one themselves and say which. */
function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === "object" && address !== null ? address.port : 0),
      );
    });
  });
}
