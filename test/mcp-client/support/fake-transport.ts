import type { RequestId, RpcMessage, RpcRequest } from "../../../src/core/json-rpc.ts";
import { isRequest } from "../../../src/core/json-rpc.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Receiver, SendOptions, Transport } from "../../../src/mcp-client/transport.ts";

export interface Sent {
  message: RpcMessage;
  options: SendOptions;
}

/** A server at the other end of nothing: the test sees what is sent and says what comes. */
export interface FakeTransport extends Transport {
  readonly sent: Sent[];
  readonly closed: boolean;
  receiver: Receiver;
  /** Resolves with the next request of this method that was not asked for yet. */
  next(method: string): Promise<RpcRequest>;
  /** What `send` does; it records first. */
  onSend: (message: RpcMessage, options: SendOptions) => Promise<void>;
  answer(request: { id: RequestId }, result: JsonObject, on?: RequestId): void;
}

export function createFakeTransport(
  kind: Transport["kind"],
  options: { hasSession?: boolean } = {},
): FakeTransport {
  const seen: RpcRequest[] = [];
  const waiting: { method: string; resolve: (request: RpcRequest) => void }[] = [];
  const sent: Sent[] = [];
  let closed = false;
  const fake: FakeTransport = {
    kind,
    hasSession: options.hasSession ?? false,
    sent,
    get closed() {
      return closed;
    },
    receiver: {
      onMessage: () => undefined,
      onStreamEnd: () => undefined,
      onFault: () => undefined,
      onLost: () => undefined,
    },
    onSend: () => Promise.resolve(),
    start(receiver) {
      fake.receiver = receiver;
      return Promise.resolve();
    },
    send(message, sendOptions = {}) {
      sent.push({ message, options: sendOptions });
      if (isRequest(message)) {
        const index = waiting.findIndex(({ method }) => method === message.method);
        if (index === -1) seen.push(message);
        else waiting.splice(index, 1)[0]?.resolve(message);
      }
      return fake.onSend(message, sendOptions);
    },
    next(method) {
      const index = seen.findIndex((request) => request.method === method);
      const [found] = index === -1 ? [] : seen.splice(index, 1);
      if (found !== undefined) return Promise.resolve(found);
      return new Promise((resolve) => {
        waiting.push({ method, resolve });
      });
    },
    answer({ id }, result, on = kind === "http" ? id : undefined) {
      fake.receiver.onMessage({ jsonrpc: "2.0", id, result }, on);
    },
    close() {
      closed = true;
      return Promise.resolve();
    },
  };
  return fake;
}

export const discovered: JsonObject = {
  resultType: "complete",
  supportedVersions: ["2026-07-28"],
  capabilities: { tools: { listChanged: true }, "x-own": { kept: true } },
  instructions: "Modern.",
  _meta: { "io.modelcontextprotocol/serverInfo": { name: "m", version: "1", icons: [] } },
};

export const initialized: JsonObject = {
  protocolVersion: "2025-11-25",
  capabilities: { tools: {}, "x-own": { kept: true } },
  serverInfo: { name: "l", version: "1", title: "L" },
  instructions: "Legacy.",
};

/** What was sent since the connection stood. */
export function sentAfter(transport: FakeTransport, count: number): RpcMessage[] {
  return transport.sent.slice(count).map(({ message }) => message);
}

/** What was put off until the next turn has happened. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
