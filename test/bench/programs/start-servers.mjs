// The floor under a gateway's start: starts stdio servers all at once, initializes each and asks it for its tools,
// and ends when every one has answered. Servers as JSON in the first argument, as `mcpServers` has them; prints
// `listed` and how many tools there are.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const [, , text = "{}"] = process.argv;
/** @type {{command: string, args: string[], env?: Record<string, string>}[]} */
const servers = Object.values(JSON.parse(text));

const listed = await Promise.all(
  servers.map(async ({ command, args, env }) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "ignore"],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    /** @param {object} message */
    const send = (message) => {
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
    };
    /** @param {number} id @param {string} method @param {object} params */
    const ask = async (id, method, params) => {
      send({ id, method, params });
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`${args.join(" ")} ended`);
        const message = JSON.parse(value);
        if (message.id === id && message.method === undefined) return message.result;
      }
    };
    await ask(1, "initialize", {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "bench", version: "1.0.0" },
    });
    send({ method: "notifications/initialized" });
    const { tools } = await ask(2, "tools/list", {});
    return { child, tools };
  }),
);
console.log(`listed ${listed.reduce((sum, { tools }) => sum + tools.length, 0)}`);
for (const { child } of listed) child.kill("SIGKILL");
