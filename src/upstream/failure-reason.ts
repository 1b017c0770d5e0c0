import { STATUS_CODES } from "node:http";
import { RpcFault } from "../core/json-rpc.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { OpenFault } from "../mcp-client/mcp-connection.ts";
import { HttpStatusError } from "../mcp-client/transport.ts";

const longestReason = 300;

/** Foreign text as part of a reason: one line, bounded. */
function oneLine(text: string, longest = longestReason): string {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}

/** The innermost system error code (`ECONNREFUSED`) in a chain of causes. */
function innermostErrorCode(error: unknown): string | undefined {
  let found: string | undefined;
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; depth++) {
    const code = systemErrorCode(at);
    if (code !== undefined && /^(?:E[A-Z_]+|UND_ERR_\w+|[A-Z_]*CERT[A-Z_]*)$/.test(code)) {
      found = code;
    }
    const [first]: unknown[] = at instanceof AggregateError ? at.errors : [at.cause];
    at = first;
  }
  return found;
}

const systemReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  ENOTFOUND: "the host was not found",
  EAI_AGAIN: "the host could not be looked up",
  ETIMEDOUT: "the connection timed out",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  UND_ERR_SOCKET: "the connection was closed",
};

/** The first error of a class in a chain of causes, where there is one. */
function inChain<Found extends Error>(
  error: unknown,
  // oxlint-disable-next-line typescript/no-explicit-any -- a class with any constructor; only `instanceof` looks at it
  kind: abstract new (...args: any[]) => Found,
): Found | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; depth++) {
    if (at instanceof kind) return at;
    at = at.cause;
  }
  return undefined;
}

/** The HTTP error in a chain of causes, where there is one. */
export function httpError(error: unknown): HttpStatusError | undefined {
  return inChain(error, HttpStatusError);
}

/**
 * Why a connection could not be made or was lost, in one line for people. What a server answered is
 * repeated only as far as it is a JSON-RPC error message; bodies, header values and URLs are not.
 */
export function describeFailure(error: unknown): string {
  const http = httpError(error);
  if (http !== undefined) return describeStatus(http);
  const code = innermostErrorCode(error);
  if (code !== undefined) return systemReasons[code] ?? `the connection failed (${code})`;
  const fault = inChain(error, RpcFault);
  if (fault !== undefined) {
    return oneLine(`it answered with error ${fault.code}: ${fault.message}`);
  }
  // "fetch failed", "probe failed": the cause says what happened.
  const isWrapper = error instanceof TypeError || error instanceof OpenFault;
  if (isWrapper && error.cause instanceof Error) return describeFailure(error.cause);
  return oneLine(error instanceof Error ? error.message : String(error));
}

function describeStatus({ status, message }: HttpStatusError): string {
  const said = oneLine(`it answered with HTTP ${status} ${STATUS_CODES[status] ?? ""}`, 100);
  if (status === 401 || status === 403) return `${said}: check the headers in the configuration`;
  // Its message says where to, without a query.
  if (status >= 300 && status < 400) return oneLine(message);
  return status === 404 ? `${said}: is the path of the url right?` : said;
}
