import { AppError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { InsufficientScope } from "../core/insufficient-scope.ts";
import { oneLine } from "../core/terminal-text.ts";
import type { BearerChallenge } from "../oauth/oauth.ts";
import {
  challengeOf,
  errorOfAnswer,
  errorOfGateway,
  faultOfAnswer,
  notAGateway,
} from "./answer-error.ts";
import { CredentialRefused } from "./credential-refused.ts";
import { askJson } from "./http-json.ts";
import type { JsonAnswer } from "./http-json.ts";
import { identify } from "./identify.ts";
import type { ServerKind } from "./identify.ts";
import { baseOf } from "./server-address.ts";

/** A way to sign in, as a server tells it; foreign text. */
export interface OfferedWay {
  type: string;
  description: string;
  /** Who gives the tokens, where that is not the gateway itself. */
  issuer?: string | undefined;
}

/** Who the server says a bearer is. Only a OneDoor gateway says more than that it is accepted. */
export interface AcceptedIdentity {
  who?: string | undefined;
  userId?: string | undefined;
  organization?: string | undefined;
  /** Null: the server knows the caller, who has no role there. */
  role?: string | null | undefined;
  scopes?: readonly string[] | undefined;
  method?: string | undefined;
  /** Milliseconds since the epoch; absent when it never expires or the server does not say. */
  expiresAtMs?: number | undefined;
  /** It is good, and not for what was tried: the scopes that would do (RFC 6750 §3.1); foreign text. */
  lacks?: readonly string[] | undefined;
}

/** What a server wants of who shows it nothing. */
export interface RequiredSignIn {
  ways: readonly OfferedWay[];
  /** The URL that answered, or that would: where the discovery of an authorization server starts. */
  endpoint: string;
  /** The 401's `WWW-Authenticate`, where it had one; foreign text. */
  challenge?: BearerChallenge | undefined;
}

/**
 * What a server said about a credential (or about none):
 * `open` it needs none; `required` none was shown and one is needed; `rejected` the one shown is not
 * good; `accepted` it is.
 */
export type AuthenticationProbe = { server: ServerKind } & (
  | { kind: "open" }
  | ({ kind: "required" } & RequiredSignIn)
  /** With what its answer says about getting another one, and why; foreign text, of one line. */
  | {
      kind: "rejected";
      challenge?: BearerChallenge | undefined;
      words?: string | undefined;
    }
  | ({ kind: "accepted" } & AcceptedIdentity)
);

/** What a server says of a bearer that it refuses, in characters. */
const longestWords = 200;

const maxAnswer = { maxBytes: 1024 * 1024 };

/**
 * Asks a server what it thinks of a bearer, or of having none. A server that cannot say (unreachable,
 * 5xx, not allowed to be asked) is an error, never a rejection.
 * @param known what the server was already found to be; absent: it is found out first, without the bearer
 * @throws AppError `unreachable`, `timeout`, `forbidden`, `rate_limited`
 */
export async function probeAuthentication(
  endpoint: string,
  bearer: string | undefined,
  signal: AbortSignal,
  known?: ServerKind,
): Promise<AuthenticationProbe> {
  const server = known ?? (await identify(endpoint, signal));
  if (server === "mcp") return probeMcp(endpoint, bearer, signal);
  return bearer === undefined ? probeWays(endpoint, signal) : probeBearer(endpoint, bearer, signal);
}

async function ask(
  url: string,
  bearer: string | undefined,
  signal: AbortSignal,
): Promise<JsonAnswer> {
  const headers = bearer === undefined ? undefined : { authorization: `Bearer ${bearer}` };
  return askJson({ url, headers, signal }, maxAnswer);
}

/** An answer of a gateway that must be a JSON object; a fault of the server is said as such. */
function objectOf(url: string, answer: JsonAnswer, bearer: boolean): JsonObject {
  if (answer.status >= 500) throw faultOfAnswer(url, answer);
  if (answer.status < 200 || answer.status > 299) throw errorOfAnswer(url, answer, bearer);
  if (isJsonObject(answer.json)) return answer.json;
  throw notAGateway(url, answer.mediaType);
}

async function probeWays(endpoint: string, signal: AbortSignal): Promise<AuthenticationProbe> {
  const url = `${baseOf(endpoint)}/auth`;
  const body = objectOf(url, await ask(url, undefined, signal), false);
  if (body["required"] === false) return { kind: "open", server: "onedoor" };
  const listed = Array.isArray(body["ways"]) ? body["ways"] : [];
  const ways = listed.flatMap((way) =>
    isJsonObject(way) && typeof way["type"] === "string"
      ? [
          {
            type: oneLine(way["type"], 40),
            description: textOf(way["description"]) ?? "",
            issuer: textOf(way["issuer"]),
          },
        ]
      : [],
  );
  const mcpEndpoint = `${baseOf(endpoint)}/mcp`;
  const challenge = ways.some(({ type }) => type === "oauth")
    ? challengeOf(await ask(mcpEndpoint, undefined, signal))
    : undefined;
  return {
    kind: "required",
    server: "onedoor",
    ways,
    endpoint: mcpEndpoint,
    ...(challenge && { challenge }),
  };
}

async function probeBearer(
  endpoint: string,
  bearer: string,
  signal: AbortSignal,
): Promise<AuthenticationProbe> {
  const url = `${baseOf(endpoint)}/auth/status`;
  const answer = await ask(url, bearer, signal);
  if (answer.status === 401) {
    const challenge = challengeOf(answer);
    const told = errorOfGateway(answer)?.message;
    const words = told && { words: oneLine(told, longestWords) };
    return { kind: "rejected", server: "onedoor", ...(challenge && { challenge }), ...words };
  }
  const body = objectOf(url, answer, true);
  if (body["authenticated"] !== true) return { kind: "rejected", server: "onedoor" };
  if (body["method"] === "none") return { kind: "open", server: "onedoor" };
  const user = isJsonObject(body["user"]) ? body["user"] : {};
  const expiresAt = body["expiresAt"];
  const expiresAtMs = typeof expiresAt === "string" ? Date.parse(expiresAt) : Number.NaN;
  const scopes = body["scopes"];
  return {
    kind: "accepted",
    server: "onedoor",
    who: textOf(user["name"]) ?? textOf(user["id"]),
    userId: textOf(user["id"]),
    organization: textOf(body["organization"]),
    role: body["role"] === null ? null : textOf(body["role"]),
    scopes: Array.isArray(scopes) ? scopes.flatMap((scope) => textOf(scope) ?? []) : undefined,
    method: textOf(body["method"]),
    expiresAtMs: Number.isNaN(expiresAtMs) ? undefined : expiresAtMs,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? oneLine(value) : undefined;
}

/**
 * An MCP server is asked by connecting to it and, because some let anybody connect, by listing its
 * tools, the answer to which does not matter.
 */
async function probeMcp(
  endpoint: string,
  bearer: string | undefined,
  signal: AbortSignal,
): Promise<AuthenticationProbe> {
  const { openMcpConnection } = await import("./mcp-connection.ts");
  try {
    const connection = await openMcpConnection({
      endpoint,
      bearer,
      clientName: "onedoor",
      signal,
      onElicitation: () => Promise.resolve({ action: "decline" }),
    });
    try {
      if (connection.hasTools) await connection.request("tools/list", {}, { signal });
    } catch (error) {
      if (!(error instanceof AppError && error.code === "tool_error")) throw error;
    } finally {
      await connection.close();
    }
    return bearer === undefined
      ? { kind: "open", server: "mcp" }
      : { kind: "accepted", server: "mcp" };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error instanceof InsufficientScope) {
      return { kind: "accepted", server: "mcp", lacks: error.scopes };
    }
    if (!(error instanceof CredentialRefused)) throw error;
    const { challenge, endpoint: answered } = error;
    const told = challenge && { challenge };
    if (error.code === "auth_rejected") return { kind: "rejected", server: "mcp", ...told };
    const description = "A bearer token that the server's operator gave you";
    const ways = [{ type: "token", description }];
    return { kind: "required", server: "mcp", ways, endpoint: answered, ...told };
  }
}
