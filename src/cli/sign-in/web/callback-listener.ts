import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { AppError } from "../../../core/errors.ts";
import { limitConnections } from "./limit-connections.ts";
import { listenOnLoopback } from "./listen-on-loopback.ts";
import { failurePage, foreignUserPage, pageHeaders, strayPage, wrongRequestPage } from "./pages.ts";
import { peerOf } from "./socket-owner.ts";
import { StartPage, randomToken } from "./start-page.ts";

/** Longer than any answer of an authorization server, in characters. */
const maxTargetLength = 8 * 1024;
/** Browsers send the cookies of every other server on 127.0.0.1 too, in bytes. */
const maxHeaderBytes = 64 * 1024;
/** Nobody needs more connections at once for one page. */
const maxConnections = 64;
/** Nor more of them that wait for the last page. */
const maxWaiting = 4;
/** How long a request may take to arrive, in milliseconds. */
const requestMs = 10_000;
/** How long the browser may take to come for the last page, in milliseconds. */
const lastPageMs = 2000;

const callbackPath = "/callback";

/** Who came and was turned away: an answer to nothing that was asked, or another user of this machine. */
export type Uninvited = "stray" | "other-user";

/** Where the browser brings the answer of an authorization server (RFC 8252 §7.3). */
export interface CallbackListener {
  readonly port: number;
  readonly redirectUri: string;
  /** How many callbacks came that do not belong to this sign-in. */
  readonly strays: number;
  /**
   * Resolves with the first callback that shows `state`, however good it is otherwise: nobody else than the
   * authorization server and the person's browser knows it. All others, which any web page can send, are turned away.
   * Rejects with an AppError `auth_rejected` where another browser came to the page below, too.
   */
  answerTo(state: string): Promise<URL>;
  /**
   * A page that sends one browser of this user to the authorization URL. From now on only that one may bring the answer.
   * @returns its address, which other users of the machine may see
   */
  offerStart(authorizationUrl: URL): string;
  /** Takes that page back; false where somebody has been there: it stays. */
  withdrawStart(): boolean;
  /** Shows the browser that brought the answer how it ended, as long as it comes for it soon. */
  show(page: string): Promise<void>;
  /** Ends it, and every connection with it. May be called again. */
  close(): void;
}

/**
 * Listens on 127.0.0.1.
 * @param port 0: a free one
 * @param whenUninvited told of each that was turned away
 * @throws AppError `usage`: the port is taken, or not to be had
 */
export async function startCallbackListener(
  port: number,
  whenUninvited: (who: Uninvited) => void = () => undefined,
): Promise<CallbackListener> {
  const resultPath = `/result/${randomToken()}`;
  let strays = 0;
  let wanted:
    | { state: string; resolve: (callback: URL) => void; reject: (error: AppError) => void }
    | undefined;
  let answered = false;
  let lastPage: string | undefined;
  /** Browsers that came for the last page before there was one. */
  const waiting = new Set<ServerResponse>();
  let delivered: (() => void) | undefined;

  const sendLastPage = (response: ServerResponse, page: string): void => {
    response.socket?.once("close", () => delivered?.());
    send(response, 200, page);
  };

  const onStart = ({ headers }: IncomingMessage, response: ServerResponse): void => {
    const visit = answered ? undefined : start.visit(headers.cookie);
    if (visit === undefined) return send(response, 404, wrongRequestPage(404));
    if (visit !== "stranger") {
      response.writeHead(303, { ...pageHeaders, ...visit }).end();
      return;
    }
    const error = new AppError("auth_rejected", "Somebody else opened the page of this sign-in", {
      hint: "If that was you, in another browser: sign in again, in one",
    });
    response.once("close", () => wanted?.reject(error));
    send(response, 403, failurePage(error.message));
  };

  const onCallback = (
    query: string,
    { headers }: IncomingMessage,
    response: ServerResponse,
  ): void => {
    const callback = new URL(redirectUri);
    callback.search = query;
    const states = callback.searchParams.getAll("state");
    const known = !start.isOffered || start.knows(headers.cookie);
    if (wanted === undefined || states.length !== 1 || states[0] !== wanted.state || !known) {
      strays += 1;
      send(response, 400, strayPage());
      whenUninvited("stray");
      return;
    }
    answered = true;
    // The code leaves the address bar, and never becomes an entry of the history.
    response.writeHead(303, { ...pageHeaders, location: resultPath }).end();
    wanted.resolve(callback);
  };

  const onResult = (response: ServerResponse): void => {
    if (lastPage !== undefined) sendLastPage(response, lastPage);
    else if (waiting.size >= maxWaiting) send(response, 429, wrongRequestPage(429));
    else {
      waiting.add(response);
      response.once("close", () => waiting.delete(response));
    }
  };

  const onRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!mayAnswer(request)) return;
    const { path, query } = targetOf(request);
    const known = path === callbackPath || path === resultPath || path === start.path;
    const status = statusOf(request, new URL(redirectUri).host, known);
    if (status !== 200) return send(response, status, wrongRequestPage(status));
    if (path === resultPath && answered) return onResult(response);
    if (path === resultPath) return send(response, 404, wrongRequestPage(404));
    const peer = start.isOffered ? await peerIn(request) : "own";
    if (peer === "gone") request.socket.destroy();
    else if (peer === "other") {
      send(response, 403, foreignUserPage());
      whenUninvited("other-user");
    } else if (path === callbackPath) onCallback(query, request, response);
    else onStart(request, response);
  };

  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: requestMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => void onRequest(request, response),
  );
  const mayAnswer = limitConnections(server, maxConnections);
  const taken = await listenOnLoopback(server, port);
  const start = new StartPage(taken);
  const origin = `http://127.0.0.1:${taken}`;
  const redirectUri = `${origin}${callbackPath}`;

  return {
    port: taken,
    redirectUri,
    get strays() {
      return strays;
    },
    answerTo: (state) =>
      new Promise((resolve, reject) => {
        wanted = { state, resolve, reject };
      }),
    offerStart(authorizationUrl) {
      start.offer(authorizationUrl);
      return `${origin}${start.path}`;
    },
    withdrawStart: () => start.withdraw(),
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
      });
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function peerIn({ socket }: IncomingMessage): ReturnType<typeof peerOf> {
  const { remoteAddress, remotePort, localAddress = "", localPort = 0 } = socket;
  const peer = {
    ...(remoteAddress !== undefined && { address: remoteAddress }),
    ...(remotePort !== undefined && { port: remotePort }),
  };
  return peerOf(peer, { address: localAddress, port: localPort });
}

function targetOf({ url = "" }: IncomingMessage): { path: string; query: string } {
  const mark = url.indexOf("?");
  return mark === -1
    ? { path: url, query: "" }
    : { path: url.slice(0, mark), query: url.slice(mark) };
}

/** Another status than 200 where what is asked for is nothing that has a place here. */
function statusOf({ url = "", method, headers }: IncomingMessage, host: string, known: boolean) {
  // Another name that leads here is a page of somebody else's (DNS rebinding).
  if (headers.host !== host) return 403;
  if (url.length > maxTargetLength) return 414;
  if (!known) return 404;
  return method === "GET" ? 200 : 405;
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
