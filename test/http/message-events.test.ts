import { once } from "node:events";
import { createServer, request } from "node:http";
import type { Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { openMessageEvents } from "../../src/http/message-events.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A response whose client has taken the head and reads nothing more. */
async function unreadResponse(): Promise<ServerResponse> {
  server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server's address is one
  const { port } = server.address() as AddressInfo;
  const outgoing = request({ host: "127.0.0.1", port, agent: false });
  outgoing.on("error", () => undefined);
  outgoing.on("response", (incoming) => incoming.pause().on("error", () => undefined));
  outgoing.end();
  const [, response]: [unknown, ServerResponse] = await new Promise((resolve) => {
    server?.once("request", (...pair) => resolve(pair));
  });
  return response;
}

it("a client that lets answers pile up loses its connection", async () => {
  const response = await unreadResponse();
  const events = openMessageEvents(response);
  events.begin("/message?sessionId=a");
  expect(events.keepsUp()).toBe(true);
  const result = { text: "x".repeat(1024 * 1024) };
  let sent = 0;
  while (!response.destroyed && sent < 200) {
    events.send({ jsonrpc: "2.0", id: (sent += 1), result });
  }
  expect(sent).toBeGreaterThan(30);
  expect(sent).toBeLessThan(60);
  // What comes after the end is dropped.
  events.send({ jsonrpc: "2.0", id: 0, result });
});

it("is told that its client does not keep up", async () => {
  const response = await unreadResponse();
  const events = openMessageEvents(response);
  events.begin("/message?sessionId=a");
  events.send({ jsonrpc: "2.0", id: 1, result: { text: "x".repeat(8 * 1024 * 1024) } });
  expect(events.keepsUp()).toBe(false);
  expect(response.destroyed).toBe(false);
});
