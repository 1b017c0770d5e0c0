// A small server over stdio that is started, killed and stopped a thousand times: no SDK, so that a start is
// cheap. It starts a process of its own, as `npx` servers do. `stubborn`: ignores the end of its input and
// SIGTERM, and so does its child; `nested`: only starts the real server as its child and waits for it.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const modes = new Set(process.argv.slice(2));
if (modes.delete("nested")) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...modes], {
    stdio: "inherit",
  });
  child.once("exit", (code) => {
    process.exitCode = code ?? 1;
  });
} else serve();

function serve() {
  const stubborn = modes.has("stubborn");
  const grandchild = spawn(
    "sh",
    ["-c", stubborn ? "trap '' TERM; sleep 600 & wait; sleep 600" : "sleep 600"],
    {
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  grandchild.once("error", () => undefined);
  if (stubborn) {
    process.on("SIGTERM", () => undefined);
    setInterval(() => undefined, 60_000);
  } else grandchild.unref();
  /** @type {Record<string, (params: any) => object>} */
  const methods = {
    initialize: ({ protocolVersion }) => ({
      protocolVersion: String(protocolVersion),
      capabilities: { tools: {} },
      serverInfo: { name: "mortal", version: "1.0.0" },
    }),
    ping: () => ({}),
    "tools/list": () => ({ tools: [{ name: "pids", inputSchema: { type: "object" } }] }),
    "tools/call": () => ({
      content: [],
      pids: [process.pid, grandchild.pid],
      mark: process.env["SOAK_GENERATION"],
    }),
  };
  createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) return;
    const answer = methods[method];
    const reply =
      answer === undefined
        ? { error: { code: -32601, message: "Method not found" } }
        : { result: answer(params ?? {}) };
    process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...reply })}\n`);
  });
}
