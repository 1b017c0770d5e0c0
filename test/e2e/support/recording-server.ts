import { createServer, request as sendRequest } from "node:http";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";

export interface RecordingServer {
  url: string;
  /** Every byte that clients sent, head and body, as text. */
  received(): string;
  /** Method and path of each request so far. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

export type Answer = (
  request: { method: string; path: string; headers: IncomingMessage["headers"]; body: string },
  response: ServerResponse,
) => void | Promise<void>;

/** A server on loopback that answers as it is told and keeps every byte it was sent. */
export async function startRecordingServer(answer: Answer, port = 0): Promise<RecordingServer> {
  const chunks: Buffer[] = [];
  const requests: string[] = [];
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "", url: path = "", headers } = incoming;
    requests.push(`${method} ${path}`);
    try {
      const body = (await buffer(incoming)).toString("utf8");
      await answer({ method, path, headers, body }, response);
    } catch (error) {
      response.destroy(error instanceof Error ? error : undefined);
    }
  };
  const server = createServer((incoming, response) => void handle(incoming, response));
  server.on("connection", (socket) => socket.on("data", (chunk: Buffer) => chunks.push(chunk)));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  const taken = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${taken}`,
    received: () => Buffer.concat(chunks).toString("latin1"),
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** What a reverse proxy answers: whatever `target` does, asked with these headers added or changed. */
export function forwardTo(target: string, changes: OutgoingHttpHeaders = {}): Answer {
  return ({ method, path, headers, body }, response) =>
    new Promise((resolve, reject) => {
      const forwarded = sendRequest(
        `${target}${path}`,
        { method, headers: { ...headers, ...changes }, agent: false },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response).once("finish", resolve).once("error", reject);
        },
      );
      forwarded.once("error", reject);
      forwarded.end(body);
    });
}
