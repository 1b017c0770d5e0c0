import { describe, expect, test } from "vitest";
import { RpcFault } from "../../src/core/json-rpc.ts";
import type { RpcError } from "../../src/core/json-rpc.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { OpenFault } from "../../src/mcp-client/mcp-connection.ts";
import { openMcpConnection } from "../../src/mcp-client/open-mcp-connection.ts";
import { HttpStatusError } from "../../src/mcp-client/transport.ts";
import { createFakeTransport, discovered, initialized } from "./support/fake-transport.ts";
import type { FakeTransport } from "./support/fake-transport.ts";
import { openLegacy, openModern, openOptions } from "./support/open.ts";

function refuse(transport: FakeTransport, id: string | number, error: RpcError): void {
  transport.receiver.onMessage({ jsonrpc: "2.0", id, error }, undefined);
}

const httpError = (status: number, body = ""): HttpStatusError =>
  new HttpStatusError(`it answered with HTTP ${status}`, { status, headers: {}, body });

/** Makes every `server/discover` fail as it is sent. */
function failProbe(transport: FakeTransport, error: Error): void {
  transport.onSend = (message) =>
    "method" in message && message.method === "server/discover"
      ? Promise.reject(error)
      : Promise.resolve();
}

describe("the modern era", () => {
  test("is asked for with a whole envelope, and what the server said of itself is kept", async () => {
    const { connection, transport } = await openModern("http", { capabilities: { roots: {} } });
    expect(transport.sent.map(({ message }) => message)).toEqual([
      {
        jsonrpc: "2.0",
        id: 1,
        method: "server/discover",
        params: {
          _meta: {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { name: "test", version: "9" },
            "io.modelcontextprotocol/clientCapabilities": { roots: {} },
          },
        },
      },
    ]);
    expect(connection).toMatchObject({
      era: "modern",
      protocolVersion: "2026-07-28",
      serverInfo: { name: "m", version: "1", icons: [] },
      capabilities: { tools: { listChanged: true }, "x-own": { kept: true } },
      instructions: "Modern.",
      hasSession: false,
    });
  });

  test("a refused version is corrected once", async () => {
    const transport = createFakeTransport("http");
    const opening = openMcpConnection(openOptions(transport));
    const data = { supported: ["2026-07-28"], requested: "x" };
    const error = { code: -32_022, message: "no", data };
    refuse(transport, (await transport.next("server/discover")).id, error);
    const again = await transport.next("server/discover");
    expect(again.id).toBe(2);
    refuse(transport, again.id, error);
    await expect(opening).rejects.toMatchObject({ inProbe: true, cause: expect.any(RpcFault) });
    expect(transport.closed).toBe(true);
  });

  test.each([
    ["only unknown modern versions", { supported: ["2027-01-01"] }],
    ["unknown modern versions beside legacy ones", { supported: ["2027-01-01", "2025-11-25"] }],
  ])("a server with %s is not asked in the old way", async (_what, data) => {
    const transport = createFakeTransport("http");
    const opening = openMcpConnection(openOptions(transport));
    const { id } = await transport.next("server/discover");
    refuse(transport, id, { code: -32_022, message: "no", data });
    await expect(opening).rejects.toMatchObject({ inProbe: true });
  });

  test.each([[401], [403], [429], [500], [503]])(
    "HTTP %i says nothing about the era, whatever its body is",
    async (status) => {
      const transport = createFakeTransport("http");
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code: -32_601, message: "" } });
      failProbe(transport, httpError(status, body));
      const failure = await openMcpConnection(openOptions(transport)).catch((error) => error);
      expect(failure).toBeInstanceOf(OpenFault);
      expect(failure).toMatchObject({ inProbe: true });
      expect(transport.sent).toHaveLength(1);
    },
  );

  test("an error of the network, or something else than MCP, ends the opening", async () => {
    const unreachable = createFakeTransport("http");
    failProbe(unreachable, new Error("gone"));
    await expect(openMcpConnection(openOptions(unreachable))).rejects.toMatchObject({
      inProbe: true,
      cause: { message: "gone" },
    });
    const other = createFakeTransport("http");
    const opening = openMcpConnection(openOptions(other));
    const { id } = await other.next("server/discover");
    other.receiver.onFault(id, "it answered with something that is not MCP");
    await expect(opening).rejects.toMatchObject({
      inProbe: true,
      cause: { name: "AnswerFault", kind: "unusable" },
    });
  });

  test("silence: an HTTP server is not there; on a pipe it is of the legacy era", async () => {
    const http = createFakeTransport("http");
    await expect(openMcpConnection(openOptions(http, { probeMs: 5 }))).rejects.toMatchObject({
      inProbe: true,
      message: "it did not answer within 0.005 s",
    });
    const pipe = createFakeTransport("pipe");
    const opening = openMcpConnection(openOptions(pipe, { probeMs: 5 }));
    const { id } = await pipe.next("initialize");
    // The late answer to the question changes nothing.
    pipe.answer({ id: 1 }, discovered);
    pipe.answer({ id }, initialized);
    expect((await opening).era).toBe("legacy");
  });

  test("a process that ends at the question failed in it", async () => {
    const pipe = createFakeTransport("pipe");
    const opening = openMcpConnection(openOptions(pipe));
    await pipe.next("server/discover");
    pipe.receiver.onLost("it exited with code 1");
    await expect(opening).rejects.toMatchObject({
      inProbe: true,
      message: "it exited with code 1",
    });
  });
});

describe("the legacy era", () => {
  test.each<[string, RpcError]>([
    ["an unknown method", { code: -32_601, message: "Method not found" }],
    ["a server that was not initialized", { code: -32_600, message: "no" }],
    ["a missing session", { code: -32_001, message: "Session not found" }],
    ["a header that contradicts", { code: -32_020, message: "no" }],
    ["unsupported version without a list", { code: -32_022, message: "no" }],
    [
      "only legacy versions",
      { code: -32_022, message: "no", data: { supported: ["2025-11-25", "2025-06-18"] } },
    ],
  ])("follows from %s", async (_what, error) => {
    const transport = createFakeTransport("http");
    const opening = openMcpConnection(openOptions(transport));
    refuse(transport, (await transport.next("server/discover")).id, error);
    transport.answer(await transport.next("initialize"), initialized);
    expect((await opening).era).toBe("legacy");
  });

  test.each([
    ["nothing of it", {}],
    ["no versions", { capabilities: {} }],
    ["versions that are no texts", { supportedVersions: [1], capabilities: {} }],
    ["other versions", { supportedVersions: ["2025-11-25"], capabilities: {} }],
  ])("follows from a result with %s", async (_what, result) => {
    const transport = createFakeTransport("http");
    const opening = openMcpConnection(openOptions(transport));
    transport.answer(await transport.next("server/discover"), result);
    transport.answer(await transport.next("initialize"), initialized);
    expect((await opening).era).toBe("legacy");
  });

  test.each([[400], [404], [405], [406]])("follows from HTTP %i", async (status) => {
    const transport = createFakeTransport("http");
    failProbe(transport, httpError(status, "<html>"));
    const opening = openMcpConnection(openOptions(transport));
    transport.answer(await transport.next("initialize"), initialized);
    expect((await opening).era).toBe("legacy");
  });

  test("shakes hands in its order, tells the transport, and keeps what the server said", async () => {
    const settled: string[] = [];
    const transport = createFakeTransport("http");
    Object.assign(transport, {
      settled: (version: string) => settled.push(version),
      listen: () => settled.push("listen"),
    });
    const opening = openMcpConnection(
      openOptions(transport, { mode: "legacy", capabilities: { sampling: {} } }),
    );
    transport.answer(await transport.next("initialize"), initialized);
    const connection = await opening;
    expect(transport.sent.map(({ message }) => message)).toEqual([
      {
        jsonrpc: "2.0",
        id: 1,
        method: "initialize",
        params: {
          protocolVersion: "2025-11-25",
          capabilities: { sampling: {} },
          clientInfo: { name: "test", version: "9" },
        },
      },
      { jsonrpc: "2.0", method: "notifications/initialized", params: {} },
    ]);
    expect(settled).toEqual(["2025-11-25", "listen"]);
    expect(connection).toMatchObject({
      era: "legacy",
      serverInfo: { title: "L" },
      capabilities: { "x-own": { kept: true } },
      instructions: "Legacy.",
    });
  });

  test.each([["2023-01-01"], [undefined], ["2026-07-28"]])(
    "an answer in version %j is refused",
    async (protocolVersion) => {
      const transport = createFakeTransport("pipe");
      const opening = openMcpConnection(openOptions(transport, { mode: "legacy" }));
      const result: JsonObject = protocolVersion === undefined ? {} : { protocolVersion };
      transport.answer(await transport.next("initialize"), result);
      await expect(opening).rejects.toMatchObject({
        inProbe: false,
        message: expect.stringContaining("version"),
      });
      expect(transport.closed).toBe(true);
    },
  );

  test("has no subscriptions/listen", async () => {
    const { connection, transport } = await openLegacy();
    await connection.listen({ toolsListChanged: true });
    expect(transport.sent).toHaveLength(2);
  });
});

test.each(["start", "server/discover", "initialize"])(
  "an abort while waiting for %s ends the opening",
  async (what) => {
    const transport = createFakeTransport("http");
    const controller = new AbortController();
    const reason = new Error("enough");
    if (what === "start") {
      transport.start = () => {
        controller.abort(reason);
        return new Promise(() => undefined);
      };
    }
    const mode = what === "initialize" ? "legacy" : "auto";
    const opening = openMcpConnection(openOptions(transport, { mode, signal: controller.signal }));
    if (what !== "start") {
      await transport.next(what);
      controller.abort(reason);
    }
    await expect(opening).rejects.toMatchObject({ name: "OpenFault", cause: reason });
    expect(transport.closed).toBe(true);
    // Neither may be cancelled by a notification.
    expect(transport.sent.length).toBeLessThanOrEqual(1);
  },
);
