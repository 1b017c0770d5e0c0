import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";

/** Ways in which whatever answers at an address may be of no use. */
export const faults = [
  "html",
  "redirect",
  "silence",
  "fault",
  "hang-up",
  "endless",
  "drip",
  "not-http",
] as const;
export type Fault = (typeof faults)[number];

/** A gateway as far as signing in needs one, until it is told to misbehave. */
export interface FaultyServer {
  readonly url: string;
  /** What it does from now on; undefined: it is a good gateway, that takes the one token. */
  fault: Fault | undefined;
  close(): Promise<void>;
}

/**
 * @param token the one it takes while it is good
 * @param elsewhere where it redirects to
 */
export async function startFaultyServer(token: string, elsewhere: string): Promise<FaultyServer> {
  let fault: Fault | undefined;
  const server = createServer((request, response) => {
    request.resume();
    if (fault === undefined) answerWell(request, response, token);
    else misbehave(fault, request, response, { token, elsewhere });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    get fault() {
      return fault;
    },
    set fault(value) {
      fault = value;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function answerWell(request: IncomingMessage, response: ServerResponse, token: string): void {
  const good = request.headers.authorization === `Bearer ${token}`;
  const ways = [{ type: "token", description: "" }];
  if (request.url === "/status") sendJson(response, 200, { name: "onedoor" });
  else if (request.url === "/auth") sendJson(response, 200, { required: true, ways });
  else if (good) sendJson(response, 200, { authenticated: true, user: { id: "ada" } });
  else sendJson(response, 401, {});
}

function misbehave(
  fault: Fault,
  request: IncomingMessage,
  response: ServerResponse,
  { token, elsewhere }: { token: string; elsewhere: string },
): void {
  switch (fault) {
    case "html":
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      // A page of a proxy's that shows what it was sent, as some do.
      response.end(`<html><body>Log in! You sent ${request.headers.authorization}</body></html>`);
      break;
    case "redirect":
      response.writeHead(307, { location: `${elsewhere}/taken?from=${request.url}` });
      response.end();
      break;
    case "silence":
      break;
    case "fault":
      // It knows what it is, and fails where it is shown a credential.
      if (request.headers.authorization === undefined && request.method === "GET") {
        answerWell(request, response, token);
      } else {
        sendJson(response, 500, { oops: `no such table; token was ${token}` });
      }
      break;
    case "hang-up":
      request.socket.destroy();
      break;
    case "endless": {
      response.writeHead(200, { "content-type": "application/json" });
      const block = Buffer.alloc(1024 * 1024, "[");
      const write = (): void => {
        while (!response.destroyed && response.write(block));
      };
      response.on("drain", write).on("error", () => undefined);
      write();
      break;
    }
    case "drip": {
      response.writeHead(200, { "content-type": "application/json" });
      const drop = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(drop)).on("error", () => undefined);
      break;
    }
    case "not-http":
      request.socket.end("SSH-2.0-OpenSSH_9.9\r\n");
      break;
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
