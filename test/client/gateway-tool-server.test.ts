import type { ServerResponse } from "node:http";
import { afterEach, expect, test, vi } from "vitest";
import { createGatewayToolServer } from "../../src/client/gateway-tool-server.ts";
import { selectionQuery } from "../../src/client/selection-query.ts";
import type {
  AskPerson,
  ElicitationAnswer,
  ToolCall,
  ToolServer,
} from "../../src/client/tool-server.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Progress } from "../../src/core/mcp.ts";
import { sendJson, startFakeServer } from "./support/fake-server.ts";
import type { FakeServer, SeenRequest } from "./support/fake-server.ts";

let fake: FakeServer | undefined;
afterEach(async () => {
  await fake?.close();
  fake = undefined;
});

async function gateway(
  answer: (request: SeenRequest, response: ServerResponse) => void,
  options: { bearer?: string; path?: string } = {},
): Promise<ToolServer> {
  fake = await startFakeServer(answer);
  return createGatewayToolServer({
    endpoint: fake.url + (options.path ?? ""),
    bearer: options.bearer,
    ownGateway: true,
    clientName: "test",
    sessionId: "session\n1",
    projectId: "Läden",
    signal: AbortSignal.timeout(20_000),
  });
}

function call(more: Partial<ToolCall> = {}): ToolCall {
  return {
    arguments: {},
    untyped: {},
    signal: AbortSignal.timeout(20_000),
    timeoutMs: 1000,
    ...more,
  };
}

/** Answers a call with events, given as [name, data]. */
function sendEvents(
  response: ServerResponse,
  events: readonly (readonly [string, unknown])[],
): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const [name, data] of events) {
    response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }
  response.end();
}

test("every question is about the servers that were chosen", async () => {
  const seen: string[] = [];
  fake = await startFakeServer(({ path }, response) => {
    seen.push(path);
    sendJson(response, 200, { servers: [], tools: [], name: "a", content: [], presets: [] });
  });
  const server = createGatewayToolServer({
    endpoint: fake.url,
    clientName: "test",
    signal: AbortSignal.timeout(20_000),
    query: selectionQuery({ preset: "dev & co", tags: ["a", "b"], filter: "a and not b" }),
  });
  await server.inventory();
  await server.server("files");
  await server.call("files", "read", call());
  await server.presets?.();
  const chosen = "preset=dev+%26+co&tags=a%2Cb&filter=a+and+not+b";
  expect(seen).toEqual([
    `/api/v1/inspect?${chosen}`,
    `/api/v1/inspect?server=files&${chosen}`,
    `/api/v1/tools/call?${chosen}`,
    "/api/v1/presets",
  ]);
});

test("a call is one request, and its result comes back with every field", async () => {
  const result = { content: [{ type: "hologram", "x-new": 1 }], "x-unknown": [true] };
  const server = await gateway(
    (_request, response) => {
      sendEvents(response, [["result", result]]);
    },
    { bearer: "od_secret", path: "/prefix/mcp" },
  );
  const answer = await server.call(
    "everything",
    "echo",
    call({ arguments: { a: 1 }, untyped: { b: "2" }, text: "piped" }),
  );
  expect(answer).toEqual(result);
  expect(fake?.requests).toHaveLength(1);
  expect(fake?.requests[0]).toMatchObject({
    method: "POST",
    path: "/prefix/api/v1/tools/call",
    headers: {
      authorization: "Bearer od_secret",
      accept: "text/event-stream",
      "x-onedoor-client": "test",
      "x-onedoor-session": "session?1",
      "x-onedoor-project": "L?den",
    },
  });
  expect(JSON.parse(fake?.requests[0]?.body ?? "")).toEqual({
    server: "everything",
    tool: "echo",
    arguments: { a: 1 },
    untyped: { b: "2" },
    text: "piped",
    timeoutMs: 1000,
    clientCapabilities: { elicitation: { form: {} } },
  });
});

test("progress is told on the way", async () => {
  const server = await gateway((_request, response) => {
    sendEvents(response, [
      ["progress", { progress: 1, total: 2, message: "half" }],
      ["progress", "rubbish"],
      ["progress", { progress: 2, total: 2 }],
      ["result", { content: [] }],
    ]);
  });
  const onProgress = vi.fn<(progress: Progress) => void>();
  await server.call("s", "t", call({ onProgress }));
  expect(onProgress.mock.calls).toEqual([
    [{ progress: 1, total: 2, message: "half" }],
    [{ progress: 2, total: 2 }],
  ]);
});

test("a JSON answer to a call is taken as well", async () => {
  const server = await gateway((_request, response) => {
    sendJson(response, 200, { content: [], isError: true });
  });
  expect(await server.call("s", "t", call())).toEqual({ content: [], isError: true });
});

test.each([
  ["usage", 400],
  ["not_found", 404],
  ["upstream_unavailable", 503],
  ["tool_error", 502],
  ["forbidden", 403],
  ["rate_limited", 429],
] as const)(
  "the gateway's %s is the same error here, as an answer and as an event",
  async (code, status) => {
    const body = { error: { code, message: "what failed", hint: "what to do" } };
    for (const respond of [
      (_request: SeenRequest, response: ServerResponse): void => {
        sendJson(response, status, body);
      },
      (_request: SeenRequest, response: ServerResponse): void => {
        sendEvents(response, [["error", body]]);
      },
    ]) {
      const server = await gateway(respond);
      await expect(server.call("s", "t", call())).rejects.toMatchObject({
        code,
        message: "what failed",
        hint: "what to do",
      });
      await fake?.close();
    }
  },
);

test.each(["auth_rejected", "forbidden", "internal"])(
  "with a 5xx nobody is judged (%s); an event has no status, and is taken at its word",
  async (code) => {
    const body = { error: { code, message: "what failed" } };
    const failing = await gateway((_request, response) => sendJson(response, 503, body));
    const fault = { code: "unreachable", message: expect.stringContaining("HTTP 503") };
    await expect(failing.call("s", "t", call())).rejects.toMatchObject(fault);
    await expect(failing.inventory()).rejects.toMatchObject(fault);
    await fake?.close();
    const told = await gateway((_request, response) => sendEvents(response, [["error", body]]));
    await expect(told.call("s", "t", call())).rejects.toMatchObject({
      code,
      message: "what failed",
    });
  },
);

test("an event that tells of a failure in no gateway's words", async () => {
  const server = await gateway((_request, response) => sendEvents(response, [["error", "oops"]]));
  await expect(server.call("s", "t", call())).rejects.toMatchObject({
    code: "unreachable",
    message: expect.stringContaining("did not answer as a OneDoor gateway"),
  });
});

test("input that a tool asks for is given by repeating the call", async () => {
  const asked = {
    resultType: "input_required",
    requestState: "opaque",
    inputRequests: {
      name: { method: "elicitation/create", params: { message: "Name?" } },
      page: { method: "elicitation/create", params: { mode: "url", url: "https://evil.example" } },
      roots: { method: "roots/list" },
    },
  };
  const server = await gateway((request, response) => {
    const answered = request.body.includes('"requestState":"opaque"');
    sendEvents(response, [["result", answered ? { content: [] } : asked]]);
  });
  const answer: ElicitationAnswer = { action: "accept", content: { name: "Ada" } };
  const onElicitation = vi.fn<AskPerson>().mockResolvedValue(answer);
  await server.call("s", "t", call({ arguments: { a: 1 }, onElicitation }));
  expect(onElicitation.mock.calls).toEqual([[{ message: "Name?" }]]);
  expect(JSON.parse(fake?.requests[1]?.body ?? "")).toEqual({
    server: "s",
    tool: "t",
    arguments: { a: 1 },
    timeoutMs: 1000,
    clientCapabilities: { elicitation: { form: {} } },
    requestState: "opaque",
    inputResponses: {
      name: answer,
      page: { action: "decline" },
      roots: { roots: [] },
    },
  });
});

function asksFor(method: string): JsonObject {
  return { resultType: "input_required", inputRequests: { q: { method, params: {} } } };
}

test("nobody to ask: declined; a tool that asks for ever, or for a model, is an error", async () => {
  const forever = await gateway((_request, response) => {
    sendEvents(response, [["result", asksFor("elicitation/create")]]);
  });
  await expect(forever.call("s", "t", call())).rejects.toMatchObject({
    code: "tool_error",
    message: expect.stringContaining("still asks"),
  });
  expect(JSON.parse(fake?.requests[1]?.body ?? "")).toMatchObject({
    clientCapabilities: { elicitation: { form: {} } },
    inputResponses: { q: { action: "decline" } },
  });
  await fake?.close();
  const model = await gateway((_request, response) => {
    sendEvents(response, [["result", asksFor("sampling/createMessage")]]);
  });
  await expect(model.call("s", "t", call())).rejects.toMatchObject({ code: "tool_error" });
});

test("an interrupted call hangs up, which cancels it upstream", async () => {
  const controller = new AbortController();
  const interruption = new Error("interrupted");
  const server = await gateway((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write('event: progress\ndata: {"progress": 1}\n\n');
  });
  const onProgress = (): void => {
    controller.abort(interruption);
  };
  await expect(server.call("s", "t", call({ signal: controller.signal, onProgress }))).rejects.toBe(
    interruption,
  );
  await fake?.requests[0]?.hungUp;
});

test("a stream that breaks off before the result says that the outcome is not known", async () => {
  const server = await gateway((_request, response) => {
    sendEvents(response, [["progress", { progress: 1 }]]);
  });
  await expect(server.call("s", "t", call())).rejects.toMatchObject({
    code: "unreachable",
    hint: expect.stringContaining("not known"),
  });
});

test("an answer of 100 MB in one event is cut off, a big one is not", async () => {
  let size = 100;
  const server = await gateway((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.on("error", () => undefined);
    response.write('event: result\ndata: {"content": "');
    for (let chunk = 0; chunk < size; chunk += 1) response.write("x".repeat(1024 * 1024));
    response.end('"}\n\n');
  });
  await expect(server.call("s", "t", call())).rejects.toMatchObject({
    code: "unreachable",
    message: expect.stringContaining("longer than 64 MiB"),
  });
  size = 20;
  const { content } = await server.call("s", "t", call());
  expect(content).toHaveLength(20 * 1024 * 1024);
});

test.each([
  ["text/html", "<html>Sign in to the hotel's network</html>"],
  ["application/json", "[]"],
  ["application/json", "{broken"],
  ["text/plain", ""],
])("%s %j is said to be no gateway's answer", async (type, body) => {
  const server = await gateway((_request, response) => {
    response.writeHead(200, { "content-type": type }).end(body);
  });
  const wrong = { code: "unreachable", message: expect.stringContaining("OneDoor gateway") };
  await expect(server.call("s", "t", call())).rejects.toMatchObject(wrong);
  await expect(server.inventory()).rejects.toMatchObject(wrong);
  await expect(server.server("s")).rejects.toMatchObject(wrong);
  await expect(server.tool("s", "t")).rejects.toMatchObject(wrong);
});

test("finds out about servers, one server, one tool, and the instructions", async () => {
  const tool = { name: "echo", inputSchema: { type: "object" }, "x-vendor": 1 };
  const row = { name: "a b", state: "ready", toolCount: 1, tags: ["x"] };
  const server = await gateway((request, response) => {
    const { pathname, searchParams } = new URL(request.path, "http://x");
    if (pathname === "/api/v1/instructions") {
      response
        .writeHead(200, { "content-type": "text/plain; charset=utf-8" })
        .end("=== PLAYBOOK ===\n");
    } else if (searchParams.has("tool")) sendJson(response, 200, { server: "a b", tool });
    else if (searchParams.has("server")) {
      const page = {
        ...row,
        tools: [tool, "rubbish"],
        stderrTail: ["oops", 1],
        instructions: "Use it",
      };
      sendJson(response, 200, page);
    } else {
      const down = { name: "down", state: "unavailable", reason: "exited", toolCount: 0, tags: [] };
      sendJson(response, 200, { servers: [row, down, null], collisions: ["x"] });
    }
  });
  expect(await server.inventory()).toEqual({
    servers: [
      { ...row, reason: undefined },
      { name: "down", state: "unavailable", reason: "exited", toolCount: 0, tags: [] },
    ],
    collisions: ["x"],
  });
  expect(await server.server("a b")).toMatchObject({
    name: "a b",
    tools: [tool],
    stderrTail: ["oops"],
    instructions: "Use it",
  });
  expect(await server.tool("a b", "echo")).toEqual(tool);
  expect(await server.instructions()).toBe("=== PLAYBOOK ===\n");
  expect(fake?.requests.map(({ path }) => path)).toEqual([
    "/api/v1/inspect",
    "/api/v1/inspect?server=a+b",
    "/api/v1/inspect?server=a+b&tool=echo",
    "/api/v1/instructions",
  ]);
});

test("a bearer that no header can carry is refused before anything is sent, and not repeated", async () => {
  const refused = gateway(() => undefined, { bearer: "two words" });
  await expect(refused).rejects.toMatchObject({ code: "usage" });
  await expect(refused).rejects.not.toThrow("two words");
  expect(fake?.requests).toEqual([]);
});

test("instructions that are no plain text are no instructions", async () => {
  const server = await gateway((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<html>");
  });
  await expect(server.instructions()).rejects.toMatchObject({
    code: "unreachable",
    message: expect.stringContaining("OneDoor gateway"),
  });
});
