import { describe, expect, test } from "vitest";
import { createRpcPeer } from "../../src/mcp-client/rpc-peer.ts";
import { createSseTransport } from "../../src/mcp-client/sse-transport.ts";
import type { Authorize } from "../../src/mcp-client/transport.ts";
import { sendJson } from "../client/support/fake-server.ts";
import type { FakeServer } from "../client/support/fake-server.ts";
import {
  answerTo,
  call,
  connect,
  createRecorder,
  eventOf,
  initialize,
  openStream,
  serve,
} from "./support/http-client.ts";
import { sendHttp } from "./support/node-http.ts";

/** Another value at each use. */
const counting = (who: string): Authorize => {
  let uses = 0;
  return () => Promise.resolve(`Bearer ${who}-${(uses += 1)}`);
};

const shown = ({ requests }: FakeServer): unknown[] =>
  requests.map(({ method, headers }) => [method, headers.authorization]);

describe("whose Authorization a request has", () => {
  test("the connection's own, or that of its request, fresh each time, also where a stream is resumed", async () => {
    const { transport, until, server } = await connect(
      (request, response) => {
        if (request.method === "DELETE") response.writeHead(200).end();
        else if (request.body.includes("initialize")) {
          response.setHeader("mcp-session-id", "s");
          sendJson(response, 200, answerTo(0));
        } else if (request.method === "POST") {
          openStream(response);
          response.end(eventOf({ jsonrpc: "2.0", method: "n" }, "id: e1\nretry: 1\n"));
        } else if (request.headers["last-event-id"] === undefined) {
          response.writeHead(405).end();
        } else {
          openStream(response);
          response.end(eventOf(answerTo(1), "id: e2\n"));
        }
      },
      { authorize: counting("gateway"), headers: { Authorization: "Bearer configured" } },
    );
    await transport.send(initialize);
    await until("answer 0 on 0");
    await transport.send(call(1), { authorize: counting("ann") });
    await until("answer 1 on 1");
    transport.listen?.();
    await expect.poll(() => server.requests.length).toBe(4);
    await transport.close();
    expect(shown(server)).toEqual([
      ["POST", "Bearer gateway-1"],
      ["POST", "Bearer ann-1"],
      ["GET", "Bearer ann-2"],
      ["GET", "Bearer gateway-2"],
      ["DELETE", "Bearer gateway-3"],
    ]);
  });

  test("over HTTP+SSE too", async () => {
    const server = await serve((request, response) => {
      if (request.method === "POST") {
        response.writeHead(202).end();
        return;
      }
      openStream(response);
      response.write(eventOf("/message", "event: endpoint\n"));
    });
    const transport = createSseTransport({
      url: `${server.url}/sse`,
      headers: {},
      authorize: counting("gateway"),
      sendHttp,
    });
    await transport.start(createRecorder().receiver);
    await transport.send(initialize);
    await transport.send(call(1), { authorize: counting("ann") });
    await transport.close();
    expect(shown(server)).toEqual([
      ["GET", "Bearer gateway-1"],
      ["POST", "Bearer gateway-2"],
      ["POST", "Bearer ann-1"],
    ]);
  });

  test("what is said because of a request is said as the request was made", async () => {
    const sent: [string, boolean][] = [];
    const ann = counting("ann");
    const peer = createRpcPeer({
      transport: {
        kind: "http",
        hasSession: false,
        start: () => Promise.resolve(),
        send(message, options) {
          const what = "method" in message ? message.method : "answer";
          sent.push([what, options?.authorize === ann]);
          return Promise.resolve();
        },
        close: () => Promise.resolve(),
      },
      onNotification: () => undefined,
      onRequest: () => Promise.resolve({}),
    });
    const stop = new AbortController();
    const asked = peer.request(
      "tools/call",
      {},
      { signal: stop.signal, cancelBy: "notification", authorize: ann },
    );
    peer.receiver.onMessage({ jsonrpc: "2.0", id: 7, method: "elicitation/create", params: {} }, 1);
    await expect.poll(() => sent.length).toBe(2);
    stop.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
    await peer.notify("notifications/roots/list_changed", {});
    expect(sent).toEqual([
      ["tools/call", true],
      ["answer", true],
      ["notifications/cancelled", true],
      ["notifications/roots/list_changed", false],
    ]);
  });
});
