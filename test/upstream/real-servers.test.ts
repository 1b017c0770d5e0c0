import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createServer as createSocketServer } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type {
  HttpServerConfiguration,
  SseServerConfiguration,
} from "../../src/core/configuration.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { fakeModernClient, fakeSession } from "./support/client.ts";
import { portOf } from "./support/http-upstream.ts";
import { callOptions, callTool, httpServer, openPool, realServer } from "./support/pool.ts";

async function freePort(): Promise<number> {
  const server = createSocketServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exited;
}

/** server-everything behind HTTP; `start` starts it, again too. */
function everythingAt(port: number, mode: "streamableHttp" | "sse"): () => ChildProcess {
  const { command, args } = realServer("everything", [mode]);
  return () => {
    const env = { PATH: process.env["PATH"], PORT: String(port) };
    const child = spawn(command, [...args], { env, stdio: "ignore" });
    onTestFinished(() => kill(child));
    return child;
  };
}

const http = (port: number): HttpServerConfiguration =>
  httpServer("everything", `http://127.0.0.1:${port}/mcp`);
const sse = (port: number): SseServerConfiguration => ({
  ...http(port),
  type: "sse",
  url: `http://127.0.0.1:${port}/sse`,
});

const capabilities = { elicitation: {}, sampling: {}, roots: {} };
const decline = (): Promise<JsonObject> => Promise.resolve({ action: "decline" });
const sampled = (name: string) => (): Promise<JsonObject> =>
  Promise.resolve({
    role: "assistant",
    model: name,
    content: { type: "text", text: `sampled by ${name}` },
  });

describe.each(["stdio", "streamableHttp", "sse"] as const)("server-everything (%s)", (mode) => {
  const open = async () => {
    if (mode === "stdio") {
      return openPool([{ ...realServer("everything"), connection: "session" as const }]);
    }
    const port = await freePort();
    everythingAt(port, mode)();
    return openPool([mode === "sse" ? sse(port) : http(port)]);
  };

  test("lists more to clients that can be asked, and asks the right one", async () => {
    const pool = await open();
    await pool.reaches("everything", "ready");
    const everything = pool.get("everything");
    const [anna, ben] = ["anna", "ben"].map((name) =>
      fakeSession(name, capabilities, sampled(name)),
    );
    const carl = fakeModernClient("carl", capabilities, decline);
    if (anna === undefined || ben === undefined) throw new Error("unreachable");
    const common = everything.listing.tools.map(({ name }) => name);
    expect(common).not.toContain("trigger-sampling-request");
    expect(everything.listing.prompts.length).toBeGreaterThan(2);
    expect(everything.listing.resourceTemplates.length).toBeGreaterThan(0);
    const sample = { name: "trigger-sampling-request", arguments: { prompt: "hi", maxTokens: 5 } };
    const texts = await Promise.all(
      [anna, ben].map(({ port: client }) => callTool(everything, sample, callOptions({ client }))),
    );
    expect(JSON.stringify(texts[0])).toContain("sampled by anna");
    expect(JSON.stringify(texts[1])).toContain("sampled by ben");
    await vi.waitFor(async () => {
      const own = await everything.listingFor(anna.port);
      expect(own.tools.map(({ name }) => name)).toContain("trigger-sampling-request");
    });
    const elicited = await callTool(
      everything,
      { name: "trigger-elicitation-request", arguments: {} },
      callOptions({ client: carl }),
    );
    expect(JSON.stringify(elicited)).toContain("declined");
    expect(carl.asked.map(({ method }) => method)).toContain("elicitation/create");
  });
});

test("a server that was started again while nobody called has forgotten everybody, unnoticed", async () => {
  const port = await freePort();
  const start = everythingAt(port, "streamableHttp");
  const first = start();
  const pool = openPool([http(port)]);
  await pool.reaches("everything", "ready");
  const everything = pool.get("everything");
  const anna = fakeSession("anna", capabilities, sampled("anna"));
  const sample = callOptions({ client: anna.port });
  const call = { name: "trigger-sampling-request", arguments: { prompt: "hi", maxTokens: 5 } };
  await callTool(everything, call, sample);
  await kill(first);
  start();
  // Until it listens again the port refuses; what comes after is told that its session is unknown.
  await vi.waitFor(() => fetch(`http://127.0.0.1:${port}/mcp`), { timeout: 20_000 });
  await pool.reaches("everything", "ready");
  await expect(
    callTool(everything, { name: "echo", arguments: { message: "hi" } }, callOptions()),
  ).resolves.toEqual({ content: [{ type: "text", text: "Echo: hi" }] });
  await vi.waitFor(async () => {
    const sampledAgain = await callTool(everything, call, sample);
    expect(JSON.stringify(sampledAgain)).toContain("sampled by anna");
  });
});
