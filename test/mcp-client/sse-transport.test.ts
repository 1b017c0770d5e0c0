import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { createSseTransport } from "../../src/mcp-client/sse-transport.ts";
import type { SseOptions } from "../../src/mcp-client/sse-transport.ts";
import type { Transport } from "../../src/mcp-client/transport.ts";
import type { FakeServer } from "../client/support/fake-server.ts";
import {
  answerTo,
  call,
  createRecorder,
  eventOf,
  openStream,
  serve,
} from "./support/http-client.ts";
import type { Recorded } from "./support/http-client.ts";
import { sendHttp } from "./support/node-http.ts";

const opened: Transport[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((transport) => transport.close()));
});

interface OldServer {
  server: FakeServer;
  /** The event stream of the last client. */
  stream: () => ServerResponse | undefined;
}

/** A server of 2024-11-05 that names this address; its POSTs are answered as the test says. */
async function startOld(
  address: string,
  onPost: (response: ServerResponse, body: string) => void = (response) =>
    response.writeHead(202).end("Accepted"),
): Promise<OldServer> {
  let stream: ServerResponse | undefined;
  const server = await serve((request, response) => {
    if (request.method === "POST") {
      onPost(response, request.body);
      return;
    }
    openStream(response);
    stream = response;
    if (address !== "") response.write(eventOf(address, "event: endpoint\n"));
  });
  return { server, stream: () => stream };
}

function create(
  url: string,
  more: Partial<SseOptions> = {},
): Recorded & { transport: Transport; start: () => Promise<void> } {
  const transport = createSseTransport({ url, headers: {}, sendHttp, ...more });
  opened.push(transport);
  const recorder = createRecorder();
  return { ...recorder, transport, start: () => transport.start(recorder.receiver) };
}

test("posts to the address that the server names, and hears the answers on the stream", async () => {
  const old = await startOld("/message?sessionId=1");
  const { transport, start, until, messages } = create(`${old.server.url}/sse`, {
    headers: { Authorization: "Bearer x" },
  });
  expect(transport.hasSession).toBe(false);
  await start();
  expect(transport.hasSession).toBe(true);
  transport.settled?.("2024-11-05");
  await transport.send(call(1));
  old.stream()?.write(eventOf(answerTo(1), "event: message\n"));
  await until("answer 1 on undefined");
  expect(messages).toEqual([{ message: answerTo(1), on: undefined }]);
  const [opening, posted] = old.server.requests;
  expect(opening).toMatchObject({
    method: "GET",
    path: "/sse",
    headers: { authorization: "Bearer x", accept: "text/event-stream" },
  });
  expect(posted).toMatchObject({
    method: "POST",
    path: "/message?sessionId=1",
    body: JSON.stringify(call(1)),
    headers: {
      authorization: "Bearer x",
      "content-type": "application/json",
      "mcp-protocol-version": "2024-11-05",
    },
  });
});

describe("an opening fails", () => {
  test.each([
    ["another host", "http://localhost.example/message"],
    ["another port", "//127.0.0.1:1/message"],
    ["another scheme", "https://127.0.0.1/message"],
    ["no address at all", "http://"],
  ])("when the address is on %s", async (_what, address) => {
    const old = await startOld(address);
    const { start, transport } = create(`${old.server.url}/sse`);
    await expect(start()).rejects.toThrow("another origin");
    await expect(transport.send(call(1))).rejects.toThrow("closed");
    expect(old.server.requests).toHaveLength(1);
  });

  test("when the server refuses, answers something else, or ends the stream", async () => {
    const server = await serve(({ path }, response) => {
      if (path === "/refuses") response.writeHead(404).end();
      else if (path === "/html") response.writeHead(200, { "content-type": "text/html" }).end();
      else {
        openStream(response);
        response.end();
      }
    });
    await expect(create(`${server.url}/refuses`).start()).rejects.toMatchObject({ status: 404 });
    await expect(create(`${server.url}/html`).start()).rejects.toThrow("not an event stream");
    await expect(create(`${server.url}/ends`).start()).rejects.toThrow("ended the event stream");
  });

  test("when it is closed while the server says nothing", async () => {
    const old = await startOld("");
    const { start, transport, events } = create(`${old.server.url}/sse`);
    const starting = start();
    await expect.poll(() => old.server.requests.length).toBe(1);
    await Promise.all([
      transport.close(),
      expect(starting).rejects.toThrow(/hang up|aborted|ECONN/u),
    ]);
    expect(events).toEqual([]);
  });
});

test("the end of the stream is the end of the connection", async () => {
  const old = await startOld("/message");
  const { start, until, events } = create(`${old.server.url}/sse`);
  await start();
  old.stream()?.end();
  await until("lost: it ended the event stream");
  expect(events).toHaveLength(1);
});

test.each([
  ["not JSON", "{]", "it sent something that is not JSON"],
  ["too long", `"${"x".repeat(5000)}"`, "it sent a message of more than 0.00390625 MiB"],
])("a message that is %s ends it too", async (_what, data, reason) => {
  const old = await startOld("/message");
  const { start, until, events } = create(`${old.server.url}/sse`, {
    messageLimits: { bytes: 4096, values: 100, depth: 50 },
  });
  await start();
  old.stream()?.write(eventOf(data));
  await until(`lost: ${reason}`);
  expect(events).toEqual([`fault of undefined: ${reason}`, `lost: ${reason}`]);
});

test("a second address is not believed", async () => {
  const old = await startOld("/first");
  const { start, until, transport } = create(`${old.server.url}/sse`);
  await start();
  old.stream()?.write(eventOf("/second", "event: endpoint\n"));
  old.stream()?.write(eventOf({ jsonrpc: "2.0", method: "n" }));
  await until("n on undefined");
  await transport.send(call(1));
  expect(old.server.requests[1]?.path).toBe("/first");
});

test("a refused message is thrown; one whose answer stays open holds up nobody", async () => {
  const old = await startOld("/message", (response, body) => {
    if (body.includes('"id":1')) response.writeHead(404).end("Could not find session");
    else response.writeHead(202).write("…");
  });
  const { start, transport } = create(`${old.server.url}/sse`);
  await start();
  await expect(transport.send(call(1))).rejects.toMatchObject({ status: 404 });
  await transport.send(call(2));
  await old.server.requests[2]?.hungUp;
});

test("closing ends the stream once what was said last was heard", async () => {
  let heard: (() => void) | undefined;
  const old = await startOld("/message", (response) => {
    heard = () => response.writeHead(202).end();
  });
  const { start, transport, events } = create(`${old.server.url}/sse`);
  await start();
  const saying = transport.send({ jsonrpc: "2.0", method: "notifications/cancelled" });
  const closing = transport.close();
  await expect.poll(() => heard).toBeDefined();
  expect(old.stream()?.destroyed).toBe(false);
  heard?.();
  await Promise.all([saying, closing, old.server.requests[0]?.hungUp]);
  await expect(transport.send(call(1))).rejects.toThrow("closed");
  expect(events).toEqual([]);
});
