import { AppError } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { oneLine } from "../core/terminal-text.ts";
import { errorOfAnswer, errorOfGateway, notAGateway } from "./answer-error.ts";
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
}

/**
 * What a server said about a credential (or about none):
 * `open` it needs none; `required` none was shown and one is needed; `rejected` the one shown is not
 * good; `accepted` it is.
 */
export type AuthenticationProbe = { server: ServerKind } & (
  | { kind: "open" }
  | { kind: "required"; ways: readonly OfferedWay[] }
  | { kind: "rejected" }
  | ({ kind: "accepted" } & AcceptedIdentity)
);

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
  if (answer.status >= 500) {
    throw faultOf(url, answer, bearer);
  }
  if (answer.status < 200 || answer.status > 299) throw errorOfAnswer(url, answer, bearer);
  if (isJsonObject(answer.json)) return answer.json;
  throw notAGateway(url, answer.mediaType);
}

/** A gateway that cannot tell, as one whose auth server does not answer, says why. */
const faults: ReadonlySet<ErrorCode> = new Set(["unreachable", "timeout", "store_unavailable"]);

/** Whatever the body of a 5xx says: the server could not tell, so the credential was not judged. */
function faultOf(url: string, { status, headers, json }: JsonAnswer, bearer: boolean): AppError {
  const { hint, message } = errorOfAnswer(url, { status, headers }, bearer);
  const told = errorOfGateway({ status, headers, json });
  const isFault = told !== undefined && faults.has(told.code);
  return new AppError("unreachable", isFault ? told.message : message, { hint });
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
  return { kind: "required", server: "onedoor", ways };
}

async function probeBearer(
  endpoint: string,
  bearer: string,
  signal: AbortSignal,
): Promise<AuthenticationProbe> {
  const url = `${baseOf(endpoint)}/auth/status`;
  const answer = await ask(url, bearer, signal);
  if (answer.status === 401) return { kind: "rejected", server: "onedoor" };
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
    if (error.code === "auth_rejected") return { kind: "rejected", server: "mcp" };
    if (error.code !== "auth_required") throw error;
    const description = "A bearer token that the server's operator gave you";
    return { kind: "required", server: "mcp", ways: [{ type: "token", description }] };
  }
}
