import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { AppError } from "../../../core/errors.ts";
import { systemErrorCode } from "../../../core/system-error-code.ts";
import { pageHeaders, strayPage, wrongRequestPage } from "./pages.ts";

/** Longer than any answer of an authorization server, in characters. */
const maxTargetLength = 8 * 1024;
/** Browsers send the cookies of every other server on 127.0.0.1 too, in bytes. */
const maxHeaderBytes = 64 * 1024;
/** Nobody needs more connections at once for one page. */
const maxConnections = 64;
/** How long a request may take to arrive, in milliseconds. */
const requestMs = 10_000;
/** How long the browser may take to come for the last page, in milliseconds. */
const lastPageMs = 2000;

const callbackPath = "/callback";
const resultPath = "/result";

/** Where the browser brings the answer of an authorization server (RFC 8252 §7.3). */
export interface CallbackListener {
  readonly port: number;
  readonly redirectUri: string;
  /** How many callbacks came that show another state. */
  readonly strays: number;
  /**
   * Resolves with the first callback that shows `state`, however good it is otherwise: nobody else than the
   * authorization server and the person's browser knows it. All others, which any web page can send, are turned away.
   */
  answerTo(state: string): Promise<URL>;
  /** Shows the browser that brought the answer how it ended, as long as it comes for it soon. */
  show(page: string): Promise<void>;
  /** Ends it, and every connection with it. May be called again. */
  close(): void;
}

/**
 * Listens on 127.0.0.1.
 * @param port 0: a free one
 * @param whenStray told of a callback that shows another state
 * @throws AppError `usage`: the port is taken, or not to be had
 */
export async function startCallbackListener(
  port: number,
  whenStray: () => void = () => undefined,
): Promise<CallbackListener> {
  let redirectUri = "";
  let strays = 0;
  let wanted: { state: string; resolve: (callback: URL) => void } | undefined;
  let answered = false;
  let lastPage: string | undefined;
  /** Browsers that came for the last page before there was one. */
  let waiting: ServerResponse[] = [];
  let delivered: (() => void) | undefined;

  const sendLastPage = (response: ServerResponse, page: string): void => {
    const socket: Socket | null = response.socket;
    socket?.once("close", () => delivered?.());
    send(response, 200, page);
  };

  const onCallback = (query: string, response: ServerResponse): void => {
    const callback = new URL(redirectUri);
    callback.search = query;
    const states = callback.searchParams.getAll("state");
    if (wanted === undefined || states.length !== 1 || states[0] !== wanted.state) {
      strays += 1;
      send(response, 400, strayPage());
      whenStray();
      return;
    }
    answered = true;
    // The code leaves the address bar, and never becomes an entry of the history.
    response.writeHead(303, { ...pageHeaders, location: resultPath }).end();
    wanted.resolve(callback);
  };

  const onResult = (response: ServerResponse): void => {
    if (lastPage === undefined) waiting.push(response);
    else sendLastPage(response, lastPage);
  };

  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: requestMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => {
      const { path, query, status } = understand(request, new URL(redirectUri).host);
      if (status !== 200) send(response, status, wrongRequestPage(status));
      else if (path === callbackPath) onCallback(query, response);
      else if (path === resultPath && answered) onResult(response);
      else send(response, 404, wrongRequestPage(404));
    },
  );
  server.maxConnections = maxConnections;
  const taken = await listen(server, port);
  redirectUri = `http://127.0.0.1:${taken}${callbackPath}`;

  return {
    port: taken,
    redirectUri,
    get strays() {
      return strays;
    },
    answerTo: (state) =>
      new Promise((resolve) => {
        wanted = { state, resolve };
      }),
    async show(page) {
      if (!answered) return;
      lastPage = page;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, lastPageMs);
        delivered = () => {
          clearTimeout(timer);
          resolve();
        };
        for (const response of waiting) sendLastPage(response, page);
        waiting = [];
      });
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What is asked for; another status than 200 where it is nothing that has a place here. */
function understand(
  { url = "", method, headers }: IncomingMessage,
  host: string,
): { path: string; query: string; status: number } {
  const mark = url.indexOf("?");
  const path = mark === -1 ? url : url.slice(0, mark);
  const query = mark === -1 ? "" : url.slice(mark);
  const known = path === callbackPath || path === resultPath;
  // Another name that leads here is a page of somebody else's (DNS rebinding).
  if (headers.host !== host) return { path, query, status: 403 };
  if (url.length > maxTargetLength) return { path, query, status: 414 };
  if (!known) return { path, query, status: 404 };
  return { path, query, status: method === "GET" ? 200 : 405 };
}

function send(response: ServerResponse, status: number, page: string): void {
  response
    .writeHead(status, {
      ...pageHeaders,
      ...(status === 405 && { allow: "GET" }),
      "content-type": "text/html; charset=utf-8",
      "content-length": Buffer.byteLength(page),
    })
    .end(response.req.method === "HEAD" ? undefined : page);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(portError(port, error));
    });
    server.listen(port, "127.0.0.1", () => {
      server.removeAllListeners("error");
      // A connection that breaks while it is taken is nobody's loss.
      server.on("error", () => undefined);
      const address = server.address();
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has one
      resolve((address as AddressInfo).port);
    });
  });
}

function portError(port: number, error: unknown): unknown {
  const code = systemErrorCode(error);
  if (code === "EADDRINUSE") {
    return new AppError("usage", `Port ${port} of 127.0.0.1 is in use`, {
      hint: "Name another with --callback-port, or none: then a free one is taken",
      cause: error,
    });
  }
  if (code === "EACCES") {
    return new AppError("usage", `Port ${port} of 127.0.0.1 is not for this user`, {
      hint: "Name one above 1023 with --callback-port, or none: then a free one is taken",
      cause: error,
    });
  }
  return error;
}
