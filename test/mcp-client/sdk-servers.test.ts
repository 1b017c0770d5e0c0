import { describe, expect, onTestFinished, test } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import type { McpConnection, OpenOptions } from "../../src/mcp-client/mcp-connection.ts";
import { openMcpConnection } from "../../src/mcp-client/open-mcp-connection.ts";
import { createSseTransport } from "../../src/mcp-client/sse-transport.ts";
import { createStreamableHttpTransport } from "../../src/mcp-client/streamable-http-transport.ts";
import { startEverything } from "../client/support/everything-server.ts";
import { quick } from "./support/http-client.ts";
import { sendHttp } from "./support/node-http.ts";
import { openOptions, signal } from "./support/open.ts";
import { startNewServer, startOldSse, startOldStreamable } from "./support/sdk-server.ts";

interface Connected {
  connection: McpConnection;
  heard: string[];
}

async function connect(
  url: string,
  kind: "streamable" | "sse" = "streamable",
  more: Partial<OpenOptions> = {},
): Promise<Connected> {
  const options = { url, headers: {}, sendHttp };
  const heard: string[] = [];
  const transport =
    kind === "sse"
      ? createSseTransport(options)
      : createStreamableHttpTransport({ ...options, reconnect: quick });
  const connection = await openMcpConnection(
    openOptions(transport, { onNotification: (method) => heard.push(method), ...more }),
    quick,
  );
  onTestFinished(() => connection.close());
  return { connection, heard };
}

function call(
  { connection }: Connected,
  name: string,
  more: Partial<Parameters<McpConnection["request"]>[2]> = {},
): Promise<JsonObject> {
  return connection.request("tools/call", { name, arguments: {} }, { signal: signal(), ...more });
}

describe.each([
  ["Streamable HTTP", "streamable", startOldStreamable],
  ["HTTP+SSE", "sse", startOldSse],
] as const)("the first SDK's %s", (_what, kind, start) => {
  test("is of the legacy era, tells progress to the call and changes to everybody", async () => {
    const server = await start();
    const connected = await connect(server.url, kind);
    expect(connected.connection).toMatchObject({
      era: "legacy",
      protocolVersion: "2025-11-25",
      serverInfo: { name: "old" },
      instructions: "Old.",
      hasSession: true,
    });
    const progress: JsonObject[] = [];
    const own: string[] = [];
    const result = await call(connected, "tell", {
      onProgress: (params) => progress.push(params),
      onNotification: (method) => own.push(method),
    });
    expect(result).toEqual({ content: [{ type: "text", text: "tell" }] });
    expect(progress).toEqual([{ progress: 1 }]);
    await expect.poll(() => connected.heard).toContain("notifications/tools/list_changed");
    // The oldest transport has one stream for all, which says nothing of whose a message is.
    const message = "notifications/message";
    expect(kind === "sse" ? connected.heard : own).toContain(message);
  });

  test("asks the client, whose answer it gets", async () => {
    const server = await start();
    const connected = await connect(server.url, kind, {
      capabilities: { elicitation: { form: {} } },
      onRequest: () => Promise.resolve({ action: "decline" }),
    });
    const answer = { action: "accept", content: { name: "Ada" } };
    const result = await call(connected, "ask", { onRequest: () => Promise.resolve(answer) });
    expect(result).toMatchObject({ answer: kind === "sse" ? { action: "decline" } : answer });
  });

  test("hears of a cancellation, also when the connection is closed right after it", async () => {
    const server = await start();
    const connected = await connect(server.url, kind);
    const controller = new AbortController();
    const waiting = call(connected, "wait", { signal: controller.signal });
    // It runs when what was sent after it is answered.
    await connected.connection.request("ping", {}, { signal: signal() });
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await connected.connection.close();
    await expect.poll(() => server.cancelled).toEqual(["enough"]);
    await expect.poll(() => server.ended).toBe(1);
  });
});

test("the first SDK's event store is resumed from when it cuts the stream of a call", async () => {
  const server = await startOldStreamable();
  const connected = await connect(server.url);
  expect(await call(connected, "poll")).toEqual({ content: [{ type: "text", text: "poll" }] });
});

describe("the second SDK's server", () => {
  test("is of the modern era where it can be, every field kept", async () => {
    const server = await startNewServer();
    const connected = await connect(server.url);
    expect(connected.connection).toMatchObject({
      era: "modern",
      serverInfo: { name: "new" },
      hasSession: false,
    });
    const progress: JsonObject[] = [];
    expect(
      await call(connected, "tell", { onProgress: (params) => progress.push(params) }),
    ).toMatchObject({ name: "tell", "x-unknown": { kept: true } });
    expect(progress).toEqual([{ progress: 1 }]);
  });

  test("is spoken to in the legacy era when that is wanted", async () => {
    const server = await startNewServer();
    const connected = await connect(server.url, "streamable", { mode: "legacy" });
    expect(connected.connection.era).toBe("legacy");
    expect(await call(connected, "plain")).toMatchObject({ name: "plain" });
  });

  test("refuses the legacy era as one that does not know it", async () => {
    const server = await startNewServer("reject");
    await expect(connect(server.url, "streamable", { mode: "legacy" })).rejects.toMatchObject({
      name: "OpenFault",
      inProbe: false,
      cause: { name: "RpcFault", code: -32_022 },
    });
  });

  test("hears of a cancellation by the end of the stream", async () => {
    const server = await startNewServer();
    const connected = await connect(server.url);
    const controller = new AbortController();
    const waiting = call(connected, "wait", { signal: controller.signal });
    await call(connected, "plain");
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect.poll(() => server.cancelled).toBe(1);
  });

  test("tells changes to who listens for them", async () => {
    const server = await startNewServer();
    const connected = await connect(server.url);
    await connected.connection.listen({ toolsListChanged: true });
    server.notify.toolsChanged();
    await expect.poll(() => connected.heard).toEqual(["notifications/tools/list_changed"]);
    await connected.connection.listen({ toolsListChanged: true, promptsListChanged: true });
    server.notify.toolsChanged();
    // The earlier subscription is heard a moment longer, so that it may be told twice.
    await expect.poll(() => connected.heard.length).toBeGreaterThanOrEqual(2);
  });

  test("says by an error within HTTP 4xx what was wrong", async () => {
    const server = await startNewServer();
    const { connection } = await connect(server.url);
    await expect(
      connection.request("logging/setLevel", {}, { signal: signal() }),
    ).rejects.toMatchObject({
      name: "RpcFault",
      code: -32_601,
      cause: { name: "HttpStatusError", status: 404 },
    });
    const params = { name: "plain", _meta: { "io.modelcontextprotocol/protocolVersion": "x" } };
    // Ours wins over what a caller put there.
    expect(await connection.request("tools/call", params, { signal: signal() })).toMatchObject({
      name: "plain",
    });
  });
});

describe.each([
  ["streamableHttp", "streamable"],
  ["sse", "sse"],
] as const)("server-everything in its mode %s", (mode, kind) => {
  test("lists, calls, reads and asks", async () => {
    const server = await startEverything(mode);
    onTestFinished(() => server.close());
    const asked: string[] = [];
    const connected = await connect(server.url, kind, {
      capabilities: { sampling: {}, roots: {} },
      onRequest: (method) => {
        asked.push(method);
        const content = { type: "text", text: "sampled" };
        const sample: JsonObject = { role: "assistant", content, model: "m" };
        return Promise.resolve(method === "roots/list" ? { roots: [] } : sample);
      },
    });
    const { connection } = connected;
    const { tools } = await connection.request("tools/list", {}, { signal: signal() });
    expect(tools).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: "trigger-sampling-request" })]),
    );
    const progress: JsonObject[] = [];
    const long = { name: "trigger-long-running-operation", arguments: { duration: 0.1, steps: 2 } };
    await connection.request("tools/call", long, {
      signal: signal(),
      onProgress: (params) => progress.push(params),
    });
    expect(progress).toMatchObject([{ progress: 1 }, { progress: 2 }]);
    const sampled = await connection.request(
      "tools/call",
      { name: "trigger-sampling-request", arguments: { prompt: "p" } },
      { signal: signal() },
    );
    expect(JSON.stringify(sampled)).toContain("sampled");
    expect(asked).toContain("sampling/createMessage");
    const { resources } = await connection.request("resources/list", {}, { signal: signal() });
    expect(resources).not.toEqual([]);
  });
});
