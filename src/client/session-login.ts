import { AppError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import type { StoredCredential } from "../profiles/stored-credential.ts";
import { errorOfAnswer, errorOfGateway, faultOfAnswer, notAGateway } from "./answer-error.ts";
import { askJson, shownAddress } from "./http-json.ts";
import type { JsonAnswer } from "./http-json.ts";
import { baseOf } from "./server-address.ts";

export interface LoginCredentials {
  email: string;
  password: string;
  /** The organisation to act in; absent: the only one that the user is a member of. */
  organization?: string | undefined;
}

/** A session as a server gave it. */
export interface Session {
  credential: StoredCredential;
  /** Milliseconds since the epoch, by this machine's clock; absent where the server does not say. */
  expiresAtMs?: number | undefined;
}

/** The one deadline, and the clock that a session's end is told by. */
export interface Limits {
  signal: AbortSignal;
  now: () => number;
}

/** In bytes; far more than two tokens and a message. */
const maxAnswerBytes = 64 * 1024;
/** In characters: what fits into the header of a request. */
const longestToken = 16 * 1024;
/** In characters: what the body of a refresh may hold. */
const longestRefreshToken = 4096;
/** No token is good for longer than ten years, in seconds. */
const longestLifetime = 10 * 366 * 24 * 60 * 60;

/**
 * Signs in with email address and password (`POST /auth/login`, contract §4 `simple`).
 * @param endpoint the server, as the profile keeps it
 * @throws AppError `auth_rejected` (which of the two is wrong is not told), `rate_limited` with the seconds to wait,
 *   `forbidden`, `usage` (the server has no such sign-in, or an organisation must be named: `OrganizationNeeded`),
 *   `unreachable` (faults of the server, answers that are no session), `timeout`; none holds what was sent
 */
export function logIn(
  endpoint: string,
  { email, password, organization }: LoginCredentials,
  limits: Limits,
): Promise<Session> {
  const body = { email, password, ...(organization !== undefined && { organization }) };
  return ask(endpoint, body, limits);
}

/**
 * Renews a session. Its refresh token is good for this one time: whoever gets the new one must keep it.
 * @throws as `logIn`; `auth_rejected` when the session is over
 */
export async function refreshSession(
  endpoint: string,
  refreshToken: string,
  limits: Limits,
): Promise<Session> {
  const { credential, ...rest } = await ask(endpoint, { refresh_token: refreshToken }, limits);
  // A server that gives no other one lets the old one stand (RFC 6749 §6).
  return { ...rest, credential: { session: { refreshToken }, ...credential } };
}

/** The password is right, and it must be said for which organisation. */
export class OrganizationNeeded extends AppError {}

async function ask(endpoint: string, body: JsonObject, { signal, now }: Limits): Promise<Session> {
  const url = `${baseOf(endpoint)}/auth/login`;
  const answer = await askJson(
    {
      url,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal,
    },
    { maxBytes: maxAnswerBytes },
  );
  if (answer.status < 200 || answer.status > 299) throw refusalOf(url, endpoint, answer);
  if (!isJsonObject(answer.json)) throw notAGateway(url, answer.mediaType);
  const session = sessionOf(answer.json, now());
  if (session !== undefined) return session;
  throw new AppError(
    "unreachable",
    `${shownAddress(url)} answered with something else than a session`,
    {
      hint: "The fault is on the server's side; nothing was saved",
    },
  );
}

/** What was asked for is a secret: nothing of the answer is repeated but a gateway's own words. */
function refusalOf(url: string, endpoint: string, answer: JsonAnswer): AppError {
  const { status } = answer;
  const told = errorOfGateway(answer);
  const where = shownAddress(baseOf(endpoint));
  if (status >= 500) return faultOfAnswer(url, answer);
  if (status === 401) {
    const message = told?.code === "auth_rejected" ? told.message : `${where} refused the sign-in`;
    return new AppError("auth_rejected", message);
  }
  if (status === 429) {
    const { retryAfterSeconds } = errorOfAnswer(url, answer, false);
    const again = retryAfterSeconds === undefined ? "later" : `in ${retryAfterSeconds} s`;
    return new AppError("rate_limited", `Too many sign-ins at ${where}; try again ${again}`, {
      retryAfterSeconds,
    });
  }
  if (status === 403) {
    return new AppError(
      "forbidden",
      told?.message ?? `${where} does not allow this sign-in (403)`,
      {
        hint: "An administrator of the gateway decides who gets in, and as what",
      },
    );
  }
  if (status === 400 && told?.code === "usage") {
    // The words of OneDoor's gateway, said to nobody whose password is wrong.
    const lacks = told.message.startsWith("You are in several organisations: ");
    return lacks
      ? new OrganizationNeeded("usage", told.message, { hint: "Name one: --organization <id>" })
      : new AppError("usage", told.message);
  }
  return new AppError("usage", `${where} has no sign-in with email address and password`, {
    hint: "agent auth login without --email names the ways that it has",
  });
}

/** RFC 6749 §5.1 as far as the contract has it; undefined: it is none, or nothing that a request could show. */
function sessionOf(answer: JsonObject, nowMs: number): Session | undefined {
  const {
    access_token: token,
    token_type: type,
    refresh_token: refreshToken = null,
    expires_in: seconds = null,
  } = answer;
  if (!isTokenText(token, longestToken)) return undefined;
  if (typeof type !== "string" || type.toLowerCase() !== "bearer") return undefined;
  if (seconds !== null && !isLifetime(seconds)) return undefined;
  const renews = refreshToken !== null && refreshToken !== "";
  if (renews && !isTokenText(refreshToken, longestRefreshToken)) return undefined;
  return {
    credential: { token, ...(renews && { session: { refreshToken } }) },
    ...(seconds !== null && { expiresAtMs: nowMs + Math.floor(seconds) * 1000 }),
  };
}

/** Printable ASCII without spaces: what a header can carry. */
function isTokenText(value: unknown, longest: number): value is string {
  return typeof value === "string" && value.length <= longest && /^[!-~]+$/u.test(value);
}

function isLifetime(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= longestLifetime;
}
