import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { createServer as createSocketServer } from "node:net";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, Server } from "@modelcontextprotocol/server";
import { describe, expect, onTestFinished, test } from "vitest";
import { answerJson, legacySessions, openHttpUpstream, portOf } from "./support/http-upstream.ts";
import {
  callOptions,
  callTool,
  failure,
  httpServer,
  openPool,
  realServer,
} from "./support/pool.ts";

async function freePort(): Promise<number> {
  const server = createSocketServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("Streamable HTTP", () => {
  test("server-everything in its own HTTP mode is listed and called, with progress", async () => {
    const port = await freePort();
    const { command, args } = realServer("everything", ["streamableHttp"]);
    const child = spawn(command, [...args], {
      env: { PATH: process.env["PATH"], PORT: String(port) },
      stdio: "ignore",
    });
    onTestFinished(async () => {
      const exited = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await exited;
    });
    // Not listening yet: the pool is in its back-off until it is.
    const pool = openPool([httpServer("everything", `http://127.0.0.1:${port}/mcp`)]);
    await expect(pool.reaches("everything", "ready")).resolves.toMatchObject({ era: "legacy" });
    const everything = pool.get("everything");
    expect(everything.listing.tools.map(({ name }) => name)).toContain("echo");
    await expect(
      callTool(everything, { name: "echo", arguments: { message: "hi" } }, callOptions()),
    ).resolves.toEqual({ content: [{ type: "text", text: "Echo: hi" }] });
    const seen: unknown[] = [];
    await callTool(
      everything,
      { name: "trigger-long-running-operation", arguments: { duration: 1, steps: 4 } },
      callOptions({ onProgress: ({ progress }) => seen.push(progress) }),
    );
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  test("a modern server is reached without a session; arguments declared as headers are sent", async () => {
    const tool = {
      name: "strange",
      inputSchema: {
        type: "object",
        properties: {
          region: { type: "string", "x-mcp-header": "Region" },
          deep: {
            type: "object",
            properties: { flag: { type: "boolean", "x-mcp-header": "Flag" } },
          },
          plain: { type: "string" },
        },
      },
    };
    const handler = createMcpHandler(() => {
      const server = new Server({ name: "modern", version: "1" }, { capabilities: { tools: {} } });
      server.fallbackRequestHandler = async (request) =>
        request.method === "tools/list"
          ? { tools: [tool] }
          : { content: [{ type: "hologram" }], "x-more": request.params };
      return server;
    });
    const headersOfCalls: Record<string, unknown>[] = [];
    const listener = toNodeHandler(handler);
    const web = createServer((request, response) => {
      if (request.headers["mcp-method"] === "tools/call") headersOfCalls.push(request.headers);
      void listener(request, response);
    });
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      web.closeAllConnections();
      web.close();
    });
    const port = portOf(web);
    const pool = openPool([httpServer("modern", `http://127.0.0.1:${port}/mcp`)]);
    await expect(pool.reaches("modern", "ready")).resolves.toMatchObject({ era: "modern" });
    const args = { region: "Zürich", deep: { flag: true }, plain: "x" };
    await expect(
      callTool(pool.get("modern"), { name: "strange", arguments: args }, callOptions()),
    ).resolves.toMatchObject({
      content: [{ type: "hologram" }],
      "x-more": { name: "strange", arguments: args },
    });
    expect(headersOfCalls).toHaveLength(1);
    expect(headersOfCalls[0]).toMatchObject({
      "mcp-param-region": `=?base64?${Buffer.from("Zürich").toString("base64")}?=`,
      "mcp-param-flag": "true",
    });
    expect(headersOfCalls[0]).not.toHaveProperty("mcp-param-plain");
  });

  test("a forgotten session is opened again and the call made once more, unnoticed", async () => {
    const sessions = legacySessions(({ body }, response) =>
      answerJson(response, { jsonrpc: "2.0", id: body.id, result: { content: [], ran: true } }),
    );
    const web = await openHttpUpstream(sessions.handle);
    const pool = openPool([httpServer("web", web.url)]);
    await pool.reaches("web", "ready");
    sessions.forget();
    const calls = [1, 2, 3].map(() => callTool(pool.get("web"), { name: "run" }, callOptions()));
    for (const result of await Promise.all(calls))
      expect(result).toEqual({ content: [], ran: true });
    expect(web.of("initialize")).toHaveLength(2);
    expect(pool.get("web").state.kind).toBe("ready");
  });

  test("a session forgotten twice in a row is an error, not a loop", async () => {
    const sessions = legacySessions((_message, response) => {
      answerJson(response, {}, 404);
    });
    const web = await openHttpUpstream(sessions.handle);
    const pool = openPool([httpServer("web", web.url)]);
    await pool.reaches("web", "ready");
    await expect(
      failure(callTool(pool.get("web"), { name: "run" }, callOptions())),
    ).resolves.toMatchObject({ code: "upstream_unavailable" });
    expect(web.of("tools/call")).toHaveLength(2);
  });

  test("a JSON-RPC error in the body of an HTTP error is handed on unchanged", async () => {
    const error = { code: -32077, message: "nope", data: { a: [1] } };
    const sessions = legacySessions(({ body }, response) =>
      answerJson(response, { jsonrpc: "2.0", id: body.id, error }, 422),
    );
    const web = await openHttpUpstream(sessions.handle);
    const pool = openPool([httpServer("web", web.url)]);
    await pool.reaches("web", "ready");
    await expect(
      failure(callTool(pool.get("web"), { name: "run" }, callOptions())),
    ).resolves.toMatchObject({ name: "RpcFault", ...error });
  });

  test.each([
    ["the connection is cut", (response: { destroy(): void }) => response.destroy()],
    [
      "the event stream ends without an answer",
      (response: { writeHead: Function; end(text: string): void }) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.end(": nothing\n\n");
      },
    ],
  ])("during a call %s: it fails at once and the server is still used", async (_what, cut) => {
    let broken = true;
    const sessions = legacySessions(({ body }, response) => {
      if (broken) cut(response);
      else answerJson(response, { jsonrpc: "2.0", id: body.id, result: { content: [] } });
    });
    const web = await openHttpUpstream(sessions.handle);
    const pool = openPool([httpServer("web", web.url)]);
    await pool.reaches("web", "ready");
    await expect(
      failure(callTool(pool.get("web"), { name: "run" }, callOptions())),
    ).resolves.toMatchObject({ code: "upstream_unavailable", hint: "agent inspect web" });
    broken = false;
    await expect(callTool(pool.get("web"), { name: "run" }, callOptions())).resolves.toEqual({
      content: [],
    });
    expect(web.of("initialize")).toHaveLength(1);
  });

  test("a server that goes away fails the call with the reason, and is used again when it is back", async () => {
    const sessions = legacySessions(({ body }, response) =>
      answerJson(response, { jsonrpc: "2.0", id: body.id, result: { content: [] } }),
    );
    const web = await openHttpUpstream(sessions.handle);
    const pool = openPool([httpServer("web", web.url)]);
    await pool.reaches("web", "ready");
    await web.stop();
    const waiting = pool.reaches("web", "waiting");
    await expect(
      failure(callTool(pool.get("web"), { name: "run" }, callOptions())),
    ).resolves.toMatchObject({
      code: "upstream_unavailable",
      message: 'Server "web" is not available: the connection was refused',
    });
    await expect(waiting).resolves.toMatchObject({ reason: "the connection was refused" });
    await web.start();
    await pool.reaches("web", "ready");
    await expect(callTool(pool.get("web"), { name: "run" }, callOptions())).resolves.toEqual({
      content: [],
    });
  });

  test("configured headers are sent, and their values never shown", async () => {
    const web = await openHttpUpstream((message, response) => {
      const text = `no: ${String(message.headers.authorization)}`;
      answerJson(response, { error: { code: -1, message: text } }, 401);
    });
    const headers = { Authorization: "Bearer sekret-sekret" };
    const pool = openPool([httpServer("web", web.url, headers)]);
    await expect(pool.reaches("web", "waiting")).resolves.toMatchObject({
      reason: "it answered with HTTP 401 Unauthorized: check the headers in the configuration",
    });
    expect(web.received[0]?.headers.authorization).toBe("Bearer sekret-sekret");
    expect(JSON.stringify([pool.log, pool.get("web").state])).not.toContain("sekret");
  });

  test("a redirect to another origin is not followed and gets no header", async () => {
    const other = await openHttpUpstream((_message, response) => answerJson(response, {}));
    const web = await openHttpUpstream((_message, response) => {
      response.writeHead(307, { location: `${other.origin}/elsewhere` }).end();
    });
    const pool = openPool([httpServer("web", web.url, { "X-Key": "sekret-sekret" })]);
    await expect(pool.reaches("web", "waiting")).resolves.toMatchObject({
      reason: `it redirects to ${other.origin}/elsewhere, where it is not followed: if that is the right server, use that url`,
    });
    expect(other.received).toEqual([]);
  });

  test.each(["application/json", "text/event-stream"])(
    "an answer without end (%s) fails the call before it fills the memory",
    async (type) => {
      const chunk = Buffer.alloc(1024 * 1024, "x");
      let written = 0;
      const sessions = legacySessions((_message, response) => {
        response.writeHead(200, { "content-type": type });
        const pump = (): void => {
          while (!response.destroyed) {
            written += chunk.length;
            if (!response.write(chunk)) break;
          }
        };
        response.on("drain", pump);
        pump();
      });
      const web = await openHttpUpstream(sessions.handle);
      const pool = openPool([httpServer("web", web.url)]);
      await pool.reaches("web", "ready");
      await expect(
        failure(callTool(pool.get("web"), { name: "run" }, callOptions())),
      ).resolves.toMatchObject({ code: "upstream_unavailable" });
      expect(written).toBeLessThan(2 * 64 * 1024 * 1024);
      expect(pool.get("web").state.kind).toBe("ready");
    },
  );

  test("a session is ended when the pool is closed", async () => {
    const sessions = legacySessions(() => undefined);
    const web = await openHttpUpstream(sessions.handle);
    const pool = openPool([httpServer("web", web.url)]);
    await pool.reaches("web", "ready");
    const hanging = failure(callTool(pool.get("web"), { name: "run" }, callOptions()));
    await pool.close();
    await expect(hanging).resolves.toMatchObject({ code: "upstream_unavailable" });
    expect(web.received.at(-1)).toMatchObject({ method: "DELETE" });
  });
});
