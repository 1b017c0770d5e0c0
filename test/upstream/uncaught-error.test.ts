import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, onTestFinished, test, vi } from "vitest";
import { isRunning, stdioServer } from "./support/pool.ts";

test("a gateway that ends by an uncaught error leaves no server behind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "onedoor-uncaught-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const configuration = stdioServer("parent", "raw-server.mjs", ["stubborn"]);
  const source = `
    import { silentClient } from ${JSON.stringify(join(import.meta.dirname, "../../src/core/client-port.ts"))};
    import { createUpstreamPool } from ${JSON.stringify(join(import.meta.dirname, "../../src/upstream/upstream-pool.ts"))};
    const quiet = () => undefined;
    const pool = createUpstreamPool({
      servers: new Map([["parent", ${JSON.stringify(configuration)}]]),
      logger: { debug: quiet, info: quiet, warn: quiet, error: quiet }, now: Date.now, version: "0",
    });
    pool.onChange(async () => {
      const parent = pool.upstreams.get("parent");
      if (parent.state.kind !== "ready") return;
      const { pids } = await parent.request({ method: "tools/call", params: { name: "grandchild" },
        client: silentClient, signal: new AbortController().signal, timeoutMs: 9000, maxTotalMs: 9000 });
      process.stdout.write(JSON.stringify(pids), () => { throw new Error("a bug"); });
    });`;
  const outfile = join(folder, "main.mjs");
  await build({
    stdin: { contents: source, resolveDir: import.meta.dirname, loader: "js" },
    banner: {
      js: 'import { createRequire as r } from "node:module"; const require = r(import.meta.url);',
    },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    logLevel: "error",
  });
  const gateway = spawn(process.execPath, [outfile], { stdio: ["ignore", "pipe", "ignore"] });
  let output = "";
  gateway.stdout.on("data", (bytes: Buffer) => {
    output += bytes.toString();
  });
  const code = await new Promise((resolve) => gateway.once("close", resolve));
  expect(code).toBe(1);
  const pids: number[] = JSON.parse(output);
  expect(pids).toHaveLength(2);
  onTestFinished(() => {
    for (const pid of pids.filter(isRunning)) process.kill(pid, "SIGKILL");
  });
  // SIGKILL was sent; when it has taken effect is the system's business.
  await vi.waitFor(() => expect(pids.map(isRunning)).toEqual([false, false]));
});
