import type { ServerResponse } from "node:http";
import { afterEach } from "vitest";
import type { RequestId, RpcMessage } from "../../../src/core/json-rpc.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Receiver, Transport } from "../../../src/mcp-client/transport.ts";
import { createStreamableHttpTransport } from "../../../src/mcp-client/streamable-http-transport.ts";
import type { StreamableHttpOptions } from "../../../src/mcp-client/streamable-http-transport.ts";
import { startFakeServer } from "../../client/support/fake-server.ts";
import type { FakeServer, SeenRequest } from "../../client/support/fake-server.ts";
import { sendHttp } from "./node-http.ts";

/** What a transport told its receiver, in one line each. */
export interface Recorded {
  messages: { message: RpcMessage; on: RequestId | undefined }[];
  events: string[];
  receiver: Receiver;
  /** Resolves when `events` holds this one. */
  until: (event: string) => Promise<void>;
}

export function createRecorder(): Recorded {
  const waiting: { event: string; resolve: () => void }[] = [];
  const events: string[] = [];
  const tell = (event: string): void => {
    events.push(event);
    for (const { event: wanted, resolve } of waiting) if (wanted === event) resolve();
  };
  const messages: Recorded["messages"] = [];
  return {
    messages,
    events,
    receiver: {
      onMessage(message, on) {
        messages.push({ message, on });
        const what = "method" in message ? message.method : `answer ${message.id}`;
        tell(`${what} on ${on}`);
      },
      onStreamEnd: (request, reason) => tell(`end of ${request}: ${reason}`),
      onFault: (request, reason) => tell(`fault of ${request}: ${reason}`),
      onLost: (reason) => tell(`lost: ${reason}`),
    },
    until(event) {
      if (events.includes(event)) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.push({ event, resolve });
      });
    },
  };
}

export interface StartedTransport extends Recorded {
  transport: Transport;
}

export const quick = { firstMs: 5, longestMs: 20, mostFailures: 3 };

async function startStreamable(
  url: string,
  more: Partial<StreamableHttpOptions> = {},
): Promise<StartedTransport> {
  const transport = createStreamableHttpTransport({
    url,
    headers: {},
    sendHttp,
    reconnect: quick,
    ...more,
  });
  const recorder = createRecorder();
  await transport.start(recorder.receiver);
  return { ...recorder, transport };
}

const opened: Transport[] = [];
const servers: FakeServer[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((transport) => transport.close()));
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

export type Answer = (request: SeenRequest, response: ServerResponse) => void;

/** A server that is closed after the test. */
export async function serve(answer: Answer): Promise<FakeServer> {
  const server = await startFakeServer(answer);
  servers.push(server);
  return server;
}

/** A transport to a server that answers so, both closed after the test. */
export async function connect(
  answer: Answer,
  more: Partial<StreamableHttpOptions> = {},
): Promise<StartedTransport & { server: FakeServer }> {
  const server = await serve(answer);
  const started = await startStreamable(`${server.url}/mcp`, more);
  opened.push(started.transport);
  return { ...started, server };
}

export const call = (id: number | string, params: JsonObject = {}): RpcMessage => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params,
});
export const initialize: RpcMessage = { jsonrpc: "2.0", id: 0, method: "initialize", params: {} };
export const answerTo = (id: number | string | null, result: unknown = {}): object => ({
  jsonrpc: "2.0",
  id,
  result,
});

export function openStream(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
}

export function eventOf(message: unknown, fields = ""): string {
  return `${fields}data: ${typeof message === "string" ? message : JSON.stringify(message)}\n\n`;
}
