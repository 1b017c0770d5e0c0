import type { FastifyRequest } from "fastify";
import type { IncomingMessage } from "node:http";
import type { AdministrationTokens } from "../auth/administration-tokens.ts";
import { authServerUnreachable } from "../auth/auth-server-unreachable.ts";
import { lackingScopes } from "../auth/lacking-scopes.ts";
import { AppError } from "../core/errors.ts";
import type { Principal } from "../core/principal.ts";
import { holdsCredential } from "../core/shown-credential.ts";
import { oneLine } from "../core/terminal-text.ts";
import type { CallerContext, DoorAnswer, Gateway } from "../gateway/gateway.ts";
import { HttpError } from "./error-answer.ts";
import "./fastify-types.ts";
import { headerValues } from "./header-values.ts";
import { queryOf } from "./query-of.ts";

/** Longer than any token of an issuer, and short enough to be looked at by everybody who must; in characters. */
const longestBearer = 16 * 1024;
const hint = "agent auth login";

/**
 * The bearer of a request (RFC 6750 §2.1); undefined when there is no Authorization header.
 * @throws AppError `auth_rejected` for two headers, another scheme, what is no `b64token`, or a longer one than any is
 */
export function bearerOf(request: IncomingMessage): string | undefined {
  if (request.headers.authorization === undefined) return undefined;
  const [header = "", ...others] = headerValues(request, "authorization");
  const bearer = /^Bearer +([^ ]+) *$/iu.exec(header)?.[1];
  if (others.length > 0 || bearer === undefined) {
    throw new AppError("auth_rejected", "The Authorization header must be one `Bearer <token>`", {
      hint,
    });
  }
  return checkedBearer(bearer, "The token in the Authorization header");
}

/**
 * @param what which token it is, as the subject of a sentence
 * @throws AppError `auth_rejected` for what no token can be
 */
export function checkedBearer(bearer: string, what: string): string {
  if (bearer.length > longestBearer) {
    throw new AppError("auth_rejected", `${what} is longer than any is`, { hint });
  }
  if (!/^[A-Za-z0-9\-._~+/]+=*$/u.test(bearer)) {
    throw new AppError("auth_rejected", `${what} is none`, { hint });
  }
  return bearer;
}

/**
 * The bearer in the query, for clients that cannot set a header (contract §4 "auth").
 * @throws AppError `auth_rejected` for what no token can be; HttpError 400 for several, or for another one
 *   than in the header: whoever sends both would be taken for one of two
 */
function tokenInQuery(request: IncomingMessage, header: string | undefined): string | undefined {
  const [token, ...others] = queryOf(request)?.getAll("token") ?? [];
  if (token === undefined) return undefined;
  if (others.length > 0 || (header !== undefined && header !== token)) {
    throw new HttpError(400, "usage", "The request shows several tokens; show one");
  }
  return checkedBearer(token, "The token in the query");
}

/**
 * The bearer that a request shows in its head; undefined when it shows none.
 * @param options.tokenInQuery whether it may be the query's `token`
 * @throws as `bearerOf`; HttpError 400 for several
 */
export function bearerShown(
  request: IncomingMessage,
  options: { tokenInQuery: boolean },
): string | undefined {
  const header = bearerOf(request);
  return options.tokenInQuery ? (tokenInQuery(request, header) ?? header) : header;
}

/**
 * Who sends a request; at once, where that is known from memory.
 * @param options.bearer as `bearerShown` found it
 * @throws AppError `auth_required`, `auth_rejected`, `unreachable` (the one to ask does not answer); HttpError 400
 */
export function authenticateRequest(
  gateway: Gateway,
  request: IncomingMessage,
  options: {
    bearer: string | undefined;
    /** Asked before the door; given only for routes where such a token is good. */
    administrationTokens?: Pick<AdministrationTokens, "principalOf"> | undefined;
  },
): Promise<Principal> | Principal {
  const administrator = options.administrationTokens?.principalOf(bearerOf(request));
  if (administrator !== undefined) return administrator;
  const answer = gateway.authenticate({ bearer: options.bearer });
  return answer instanceof Promise ? answer.then(principalOf) : principalOf(answer);
}

/** @throws AppError for every answer that is not `accepted` */
export function principalOf(answer: DoorAnswer): Principal {
  if (answer.kind === "accepted") return answer.principal;
  if (answer.kind === "absent") {
    throw new AppError("auth_required", "This needs a sign-in", { hint });
  }
  if (answer.kind === "insufficient") {
    throw lackingScopes(answer.scopes);
  }
  const reason = oneLine(answer.reason);
  if (answer.kind === "unavailable") throw authServerUnreachable(reason);
  const helps = answer.hint === undefined ? hint : (answer.hint ?? undefined);
  throw new AppError("auth_rejected", reason, { hint: helps });
}

/**
 * Who sends a request, with what it says about itself, for the audit row: that is believed by nobody. The
 * credential is there so that it can be kept out of that row.
 * @throws AppError `auth_required` for one that was not let in: no handler of a protected route runs for it; should one
 *   ever, it must not go on
 */
export function callerOf({
  principal,
  bearer,
  raw,
}: Pick<FastifyRequest, "principal" | "bearer" | "raw">): Omit<CallerContext, "client"> {
  const credential = bearer ?? queryOf(raw)?.get("token") ?? undefined;
  const { clientName, sessionId, projectId } = selfDescription(raw);
  return {
    principal: principal ?? principalOf({ kind: "absent" }),
    clientName,
    sessionId,
    projectId,
    credential,
  };
}

/** What a request says about itself, but for what names a token that it shows. */
export function selfDescription(
  request: IncomingMessage,
): Omit<CallerContext, "principal" | "client"> {
  return {
    clientName: selfAsserted(request, "x-onedoor-client") ?? "unknown",
    sessionId: selfAsserted(request, "x-onedoor-session") ?? null,
    projectId: selfAsserted(request, "x-onedoor-project") ?? null,
  };
}

/** A header, as `printable`; undefined when there is none, or when a token that the request shows stands in it. */
export function selfAsserted(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  if (typeof value !== "string" || holdsCredential(value, shownIn(request))) return undefined;
  return printable(value);
}

/** What may be a credential in the head, whether or not it is shown as it must be. */
function shownIn(request: IncomingMessage): string[] {
  const headers = headerValues(request, "authorization");
  const words = headers.flatMap((header) => header.split(/[\s,]+/u));
  const tokens = queryOf(request)?.getAll("token") ?? [];
  return [...words.filter((word) => !/^bearer$/iu.test(word)), ...tokens];
}

/** One line of at most 200 printable characters; undefined when nothing is left. */
export function printable(text: string): string | undefined {
  const clean = oneLine(text.slice(0, 2000).replaceAll(/[^\x20-\x7e]/gu, "?"), 200);
  return clean === "" ? undefined : clean;
}
