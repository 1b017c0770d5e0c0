import { AppError, errorCodes } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";
import { InsufficientScope } from "../core/insufficient-scope.ts";
import { isJsonObject } from "../core/json.ts";
import { longestScope, maxScopes } from "../core/scope-token.ts";
import { oneLine } from "../core/terminal-text.ts";
import { readBearerChallenge } from "../oauth/bearer-challenge.ts";
import type { BearerChallenge } from "../oauth/oauth.ts";
import { CredentialRefused } from "./credential-refused.ts";
import { shownAddress } from "./http-json.ts";

/** The head of an answer that says no, and its body where that is JSON. */
export interface RefusedAnswer {
  status: number;
  headers: Readonly<Record<string, string | undefined>>;
  json?: unknown;
}

/** A wait that a script may take at its word: whole seconds, from one to a day. */
function boundedSeconds(told: unknown): number | undefined {
  const seconds = typeof told === "string" && told.trim() !== "" ? Number(told) : told;
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) return undefined;
  return Math.min(Math.max(Math.ceil(seconds), 1), 86_400);
}

function retryAfterOf({ headers }: RefusedAnswer): number | undefined {
  return boundedSeconds(headers["retry-after"]);
}

/** What the head of an answer says about getting another token. */
export function challengeOf({ headers }: RefusedAnswer): BearerChallenge | undefined {
  return readBearerChallenge(headers["www-authenticate"]);
}

function boundedScopes(scopes: readonly unknown[]): string[] {
  return scopes
    .flatMap((scope) =>
      typeof scope === "string" && scope !== "" ? [oneLine(scope, longestScope)] : [],
    )
    .slice(0, maxScopes);
}

function codeOf(value: unknown): ErrorCode | undefined {
  return errorCodes.find((code) => code === value);
}

/** Where nothing else helps. */
const serverFault = "The fault is on the server's side; try again later";

/** What helps where the words of the server are not taken for ours. */
const ownHints: Partial<Record<ErrorCode, string>> = {
  not_found: "agent inspect lists what is there",
  upstream_unavailable: "agent inspect shows the state of its servers",
  auth_required: "agent auth login",
  auth_rejected: "agent auth login",
  forbidden: "agent auth whoami shows who you are there",
  unreachable: serverFault,
};

/** What a gateway with a certificate answers to who speaks plain http to it. */
const onlyHttps = "Only https is spoken here";

function ownHint(code: ErrorCode, message: string): string | undefined {
  return message === onlyHttps ? "Begin the address with https://" : ownHints[code];
}

/**
 * The error that a gateway put into the body of its answer, made an error here again; undefined where no gateway has
 * written it.
 * @param ownGateway as in `errorOfAnswer`
 */
export function errorOfGateway(answer: RefusedAnswer, ownGateway = false): AppError | undefined {
  const body = isJsonObject(answer.json) ? answer.json["error"] : undefined;
  if (!isJsonObject(body)) return undefined;
  const code = codeOf(body["code"]);
  const message = body["message"];
  if (code === undefined || typeof message !== "string") return undefined;
  const hint =
    ownGateway && typeof body["hint"] === "string"
      ? oneLine(body["hint"], 1000)
      : ownHint(code, message);
  const scopes = Array.isArray(body["scopes"]) ? boundedScopes(body["scopes"]) : [];
  if (code === "forbidden" && scopes.length > 0) {
    return new InsufficientScope(oneLine(message, 2000), { scopes, hint });
  }
  return new AppError(code, oneLine(message, 2000), {
    hint,
    ...(code === "rate_limited" && {
      retryAfterSeconds: boundedSeconds(body["retryAfterSeconds"]) ?? retryAfterOf(answer),
    }),
  });
}

/** What a gateway says with a 5xx. Whatever else is said with one: who fails has judged neither token nor question. */
const faults: ReadonlySet<ErrorCode> = new Set([
  "unreachable",
  "timeout",
  "upstream_unavailable",
  "store_unavailable",
  "tool_error",
  "rate_limited",
]);

/**
 * What an answer outside 200–299 means here. A gateway's own error stays what it is, if the status allows it; 401 is
 * about the credential only when one was sent (`CredentialRefused`); a fault of the server (5xx) is never a judgement
 * of it; a 403 that names the scopes a token would need is `InsufficientScope` (RFC 6750 §3.1).
 * @param bearer whether the question carried one
 * @param ownGateway whether this is the running gateway of this user. A hint is a command that people and
 *   agents run: only that one's hints are shown as ours, any other server's are left out.
 */
export function errorOfAnswer(
  url: string,
  answer: RefusedAnswer,
  bearer: boolean,
  ownGateway = false,
): AppError {
  const told = errorOfGateway(answer, ownGateway);
  const where = shownAddress(url);
  if (answer.status === 401) {
    const code = bearer ? "auth_rejected" : "auth_required";
    return new CredentialRefused(
      code,
      told?.message ?? (bearer ? `Token rejected by ${where}` : `Not signed in to ${where}`),
      { hint: told?.hint ?? ownHints[code], endpoint: url, challenge: challengeOf(answer) },
    );
  }
  if (answer.status >= 500) {
    if (told !== undefined && faults.has(told.code)) return told;
    const message = `${where} answered with HTTP ${answer.status}`;
    return new AppError("unreachable", message, { hint: serverFault });
  }
  if (told instanceof InsufficientScope) return told;
  if (answer.status === 403) {
    const challenge = challengeOf(answer);
    const scopes = boundedScopes(challenge?.scope?.split(" ") ?? []);
    if (bearer && challenge?.error === "insufficient_scope" && scopes.length > 0) {
      const message = told?.message ?? `${where} wants a token with more scopes (403)`;
      return new InsufficientScope(message, { scopes, hint: told?.hint ?? ownHints.forbidden });
    }
  }
  if (told) return told;
  if (answer.status === 403) {
    return new AppError("forbidden", `${where} does not allow this (403)`, {
      hint: ownHints.forbidden,
    });
  }
  if (answer.status === 429) {
    return new AppError("rate_limited", `${where} limits how often it may be asked (429)`, {
      retryAfterSeconds: retryAfterOf(answer),
    });
  }
  return new AppError("unreachable", `${where} answered with HTTP ${answer.status}`, {
    hint: "Check that the address is that of an MCP server or a OneDoor gateway",
  });
}

/**
 * A 5xx to a question that is about a credential, or to one that is no gateway's own: there the codes of a gateway would
 * be taken for something that happened here.
 */
export function faultOfAnswer(url: string, answer: RefusedAnswer): AppError {
  const { message, hint = serverFault } = errorOfAnswer(url, answer, false);
  return new AppError("unreachable", message, { hint });
}

/** Something answered, and not as a gateway does. */
export function notAGateway(url: string, mediaType: string): AppError {
  return new AppError(
    "unreachable",
    `${shownAddress(url)} did not answer as a OneDoor gateway (${mediaType || "no content type"})`,
    { hint: "Check the address; a proxy before the gateway may have answered" },
  );
}
