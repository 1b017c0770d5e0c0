import type { RpcMessage } from "../core/json-rpc.ts";
import { mcpNameParameter, metaKeys, metaOf } from "../core/mcp.ts";
import { headerFieldValue } from "../core/parameter-headers.ts";
import type { Authorize, SendOptions } from "./transport.ts";

type Headers = Readonly<Record<string, string>>;

/** The headers of what is sent over one connection (Streamable HTTP). */
export interface RequestHeaders {
  /** What later requests say of the connection. */
  settle(known: { sessionId: string | undefined; protocolVersion: string | undefined }): void;
  /** @throws what `authorize` throws */
  ofConnection(authorize: Authorize | undefined): Promise<Record<string, string>>;
  /** Those of a message's POST; at once where it has none of its own. @throws what `authorize` throws */
  ofMessage(
    message: RpcMessage,
    own: Pick<SendOptions, "headers" | "authorize">,
  ): Headers | Promise<Headers>;
}

/** What follows from the message and the connection, and no configuration may contradict. */
const reserved: ReadonlySet<string> = new Set([
  "accept",
  "content-type",
  "content-length",
  "last-event-id",
  "mcp-method",
  "mcp-name",
  "mcp-protocol-version",
  "mcp-session-id",
]);
const posted = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
};

/**
 * @param configured of every request
 * @param authorizeAll of every request that is not on somebody else's behalf
 */
export function createRequestHeaders(
  configured: Headers,
  authorizeAll: Authorize | undefined,
): RequestHeaders {
  const always = lowerCase(configured);
  let common: Headers = always;
  /** The same for nearly every message, so made once. */
  let plain: Headers = { ...common, ...posted };

  const ofConnection = async (authorize = authorizeAll): Promise<Record<string, string>> => ({
    ...common,
    ...(authorize && { authorization: await authorize() }),
  });
  const withItsOwn = async (
    message: RpcMessage,
    { headers, authorize }: Pick<SendOptions, "headers" | "authorize">,
  ): Promise<Headers> => ({
    ...(await ofConnection(authorize)),
    ...(headers && lowerCase(headers)),
    ...repeatedOf(message),
    ...posted,
  });
  return {
    settle({ sessionId, protocolVersion }) {
      common = {
        ...always,
        ...(sessionId !== undefined && { "mcp-session-id": sessionId }),
        ...(protocolVersion !== undefined && { "mcp-protocol-version": protocolVersion }),
      };
      plain = { ...common, ...posted };
    },
    ofConnection,
    ofMessage(message, own) {
      const isPlain = own.headers === undefined && (own.authorize ?? authorizeAll) === undefined;
      return isPlain && !isModern(message) ? plain : withItsOwn(message, own);
    },
  };
}

export function isModern(message: RpcMessage): boolean {
  return "method" in message && metaOf(message.params)[metaKeys.protocolVersion] !== undefined;
}

/** What a modern message repeats of itself in headers (2026-07-28, "Standard request headers"). */
function repeatedOf(message: RpcMessage): Record<string, string> {
  if (!("method" in message)) return {};
  const version = metaOf(message.params)[metaKeys.protocolVersion];
  if (typeof version !== "string") return {};
  const headers: Record<string, string> = {
    "mcp-protocol-version": version,
    "mcp-method": headerFieldValue(message.method),
  };
  const parameter = Object.hasOwn(mcpNameParameter, message.method)
    ? mcpNameParameter[message.method]
    : undefined;
  const name = parameter === undefined ? undefined : message.params?.[parameter];
  if (typeof name === "string") headers["mcp-name"] = headerFieldValue(name);
  return headers;
}

function lowerCase(headers: Headers): Record<string, string> {
  const lower: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (!reserved.has(key)) lower[key] = value;
  }
  return lower;
}
