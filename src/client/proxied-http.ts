import { isIP } from "node:net";
import { buildConnector, Pool, ProxyAgent } from "undici";
import type { Dispatcher } from "undici";
import { AppError } from "../core/errors.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import type { Proxy } from "./choose-proxy.ts";
import { notReached } from "./connection-failure.ts";
import { lookup } from "./direct-http.ts";
import type { HttpAnswer, HttpQuestion, ProxiedHttp } from "./http-question.ts";
import { authorities, trustIn } from "./network.ts";
import { singleHeaders } from "./single-headers.ts";

// This file loads undici, so import it dynamically.

/**
 * Asks a server through a proxy, over the question's connections or over one of its own.
 * @throws AppError `unreachable`; anything when the signal is aborted
 */
export async function askThrough(proxy: Proxy, question: HttpQuestion): Promise<HttpAnswer> {
  const target = new URL(question.url);
  const { connections } = question;
  if (connections !== undefined) {
    const kept = connections.proxied.get(target.origin);
    const through = kept ?? createProxiedHttp(target, proxy, connections.maxSockets);
    connections.proxied.set(target.origin, through);
    return through.ask(question);
  }
  const once = createProxiedHttp(target, proxy, 1);
  try {
    return await once.ask(question, () => once.destroy());
  } catch (error) {
    once.destroy();
    throw error;
  }
}

/**
 * A server through a proxy: over a tunnel (CONNECT, RFC 9110 §9.3.6) where it speaks https, so that the proxy sees
 * neither token nor answer; a plain question is handed to the proxy as a whole (RFC 9112 §3.2.2).
 * @param maxSockets how many connections there may be at once
 */
function createProxiedHttp(target: URL, proxy: Proxy, maxSockets: number): ProxiedHttp {
  const ended = new AbortController();
  // No limits of time but the question's own. The signal ends what is not yet a connection, of which undici's own
  // `destroy` does not know.
  const socket = { timeout: 0, lookup, signal: ended.signal };
  const dispatcher = new ProxyAgent({
    uri: proxy.origin,
    ...(proxy.authorization !== undefined && { token: proxy.authorization }),
    proxyTunnel: false,
    proxyTls: { ...socket, ...authorities() },
    requestTls: { ...socket, ...trustIn(target) },
    clientFactory: () =>
      tunnelsThrough(target, proxy, buildConnector({ ...socket, ...authorities() })),
    connections: Number.isFinite(maxSockets) ? maxSockets : null,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    async ask(question, onClose) {
      try {
        return await ask(dispatcher, question, onClose);
      } catch (error) {
        throw failureOf(target, proxy, error);
      }
    },
    destroy() {
      ended.abort();
      dispatcher.destroy().catch(() => undefined);
    },
  };
}

/** Says of a tunnel that is not made whose fault that is, which nobody can tell later. */
function tunnelsThrough(target: URL, proxy: Proxy, toProxy: buildConnector.connector): Dispatcher {
  const { hostname } = new URL(proxy.origin);
  // An address is no name to ask for in TLS (RFC 6066 §3), which undici does all the same.
  const servername = isIP(hostname.replace(/^\[(.*)\]$/u, "$1")) === 0 ? hostname : "";
  const pool = new Pool(proxy.origin, {
    connect: (to, connected) => toProxy({ ...to, servername }, connected),
  });
  const open: (wanted: Dispatcher.ConnectOptions) => Promise<Dispatcher.ConnectData> =
    pool.connect.bind(pool);
  return Object.assign(pool, {
    async connect(wanted: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData> {
      const answer = await open(wanted).catch((error: unknown) => {
        throw proxyNotReached(target, proxy, error);
      });
      if (answer.statusCode === 200) return answer;
      answer.socket.on("error", () => undefined).destroy();
      throw refusedBy(target, proxy, answer.statusCode);
    },
  });
}

async function ask(
  dispatcher: Dispatcher,
  { url, method = "GET", headers, body: sent, signal }: HttpQuestion,
  onClose: () => void = () => undefined,
): Promise<HttpAnswer> {
  const { origin, pathname, search } = new URL(url);
  const { statusCode, body, ...answer } = await untilAborted(
    signal,
    dispatcher.request({
      origin,
      path: `${pathname}${search}`,
      method,
      headers: { ...headers },
      body: sent ?? null,
      signal,
    }),
  );
  // Whoever reads it hears of its end while reading; nobody need.
  body.on("error", () => undefined).once("close", onClose);
  return {
    status: statusCode,
    headers: singleHeaders(answer.headers),
    body,
    destroy: () => void body.destroy(),
  };
}

/** undici hears of an abort only once there is a connection. */
async function untilAborted<Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  const settled = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    const abort = (): void => reject(new Error("The question was given up"));
    signal.addEventListener("abort", abort, { once: true, signal: settled.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    settled.abort();
  }
}

/** What goes wrong before there is a connection; of a plain question that is the one to the proxy. */
const notConnected = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/u;

/** What undici makes of a 407 (RFC 9110 §15.5.8), which to a plain question is the proxy's own answer. */
function isAboutCredentials(error: unknown): boolean {
  return systemErrorCode(error) === "UND_ERR_INVALID_ARG" && String(error).includes("(407)");
}

function failureOf(target: URL, proxy: Proxy, error: unknown): unknown {
  if (error instanceof AppError) return error;
  if (isAboutCredentials(error)) return refusedBy(target, proxy, 407);
  if (notConnected.test(systemErrorCode(error) ?? "")) return proxyNotReached(target, proxy, error);
  const who = `${target.origin} through the proxy ${proxy.origin}`;
  return notReached(who, error, withoutProxy(target));
}

function proxyNotReached(target: URL, proxy: Proxy, error: unknown): AppError {
  const who = `the proxy ${proxy.origin} (${proxy.variable})`;
  return notReached(who, error, withoutProxy(target));
}

function refusedBy(target: URL, proxy: Proxy, status: number): AppError {
  const who = `The proxy ${proxy.origin} (${proxy.variable})`;
  // Some answer with the server's word for it.
  if (status !== 407 && status !== 401) {
    const message = `${who} makes no connection to ${target.origin} (${status})`;
    return new AppError("unreachable", message, { hint: withoutProxy(target) });
  }
  const { protocol, host } = new URL(proxy.origin);
  const message =
    proxy.authorization === undefined
      ? `${who} wants a name and a password (${status})`
      : `${who} refuses the name and the password that it was given (${status})`;
  const hint = `${proxy.variable}=${protocol}//<name>:<password>@${host}`;
  return new AppError("unreachable", message, { hint });
}

function withoutProxy({ hostname }: URL): string {
  return `If it is reached without a proxy: NO_PROXY=${quoteForShell(hostname)}`;
}
