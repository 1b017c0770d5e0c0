import type { IncomingMessage } from "node:http";
import type { AdministrationTokens } from "../auth/administration-tokens.ts";
import { AppError } from "../core/errors.ts";
import type { Principal } from "../core/principal.ts";
import { oneLine } from "../core/terminal-text.ts";
import type { CallerContext, DoorAnswer, Gateway } from "../gateway/gateway.ts";
import { HttpError } from "./error-answer.ts";

const b64token = /^[A-Za-z0-9\-._~+/]+=*$/u;

/**
 * The bearer of a request (RFC 6750 §2.1); undefined when there is no Authorization header.
 * @throws AppError `auth_rejected` for two headers, another scheme, or what is no `b64token`
 */
export function bearerOf({ headersDistinct }: IncomingMessage): string | undefined {
  const given = headersDistinct["authorization"];
  if (given === undefined) return undefined;
  const [header = "", ...others] = given;
  const bearer = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/iu.exec(header)?.[1];
  if (others.length > 0 || bearer === undefined) {
    throw new AppError("auth_rejected", "The Authorization header must be one `Bearer <token>`", {
      hint: "agent auth login",
    });
  }
  return bearer;
}

/**
 * The bearer in the query, for clients of HTTP+SSE that cannot set a header (contract §4 "auth").
 * @throws AppError `auth_rejected` for what is no `b64token`; HttpError 400 for several, or for another one
 *   than in the header: whoever sends both would be taken for one of two
 */
function tokenInQuery(request: IncomingMessage, header: string | undefined): string | undefined {
  const [token, ...others] = queryOf(request).getAll("token");
  if (token === undefined) return undefined;
  if (others.length > 0 || (header !== undefined && header !== token)) {
    throw new HttpError(400, "usage", "The request shows several tokens; show one");
  }
  if (!b64token.test(token)) {
    throw new AppError("auth_rejected", "The token in the query is none", {
      hint: "agent auth login",
    });
  }
  return token;
}

function queryOf({ url = "" }: IncomingMessage): URLSearchParams {
  return new URLSearchParams(url.split("?", 2)[1]);
}

/**
 * Who sends a request.
 * @param options.tokenInQuery whether the bearer may be the query's `token`
 * @throws AppError `auth_required`, `auth_rejected`, `unreachable` (the one to ask does not answer); HttpError 400
 */
export async function authenticateRequest(
  gateway: Gateway,
  request: IncomingMessage,
  options: {
    tokenInQuery: boolean;
    /** Asked before the door; given only for routes where such a token is good. */
    administrationTokens?: Pick<AdministrationTokens, "principalOf"> | undefined;
  },
): Promise<Principal> {
  const header = bearerOf(request);
  const administrator = options.administrationTokens?.principalOf(header);
  if (administrator !== undefined) return administrator;
  const bearer = options.tokenInQuery ? (tokenInQuery(request, header) ?? header) : header;
  return principalOf(await gateway.authenticate({ bearer }));
}

/** @throws AppError for every answer that is not `accepted` */
export function principalOf(answer: DoorAnswer): Principal {
  if (answer.kind === "accepted") return answer.principal;
  const hint = "agent auth login";
  if (answer.kind === "absent") {
    throw new AppError("auth_required", "This needs a sign-in", { hint });
  }
  const { kind, reason } = answer;
  throw new AppError(kind === "rejected" ? "auth_rejected" : "unreachable", oneLine(reason), {
    hint: kind === "rejected" ? hint : "Try again later",
  });
}

/**
 * Who sends a request, with what it says about itself, for the audit row: that is believed by nobody. The
 * credential is there so that it can be kept out of that row.
 */
export function callerOf(
  principal: Principal,
  request: IncomingMessage,
): Omit<CallerContext, "client"> {
  const credential = bearerOf(request) ?? queryOf(request).get("token") ?? undefined;
  return { principal, ...selfDescription(request), credential };
}

export function selfDescription(
  request: IncomingMessage,
): Omit<CallerContext, "principal" | "client"> {
  return {
    clientName: selfAsserted(request, "x-onedoor-client") ?? "unknown",
    sessionId: selfAsserted(request, "x-onedoor-session") ?? null,
    projectId: selfAsserted(request, "x-onedoor-project") ?? null,
  };
}

/** A header cut to one line of at most 200 printable characters; undefined when there is none. */
export function selfAsserted({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  if (typeof value !== "string") return undefined;
  const clean = oneLine(value.replaceAll(/[^\x20-\x7e]/gu, "?"), 200);
  return clean === "" ? undefined : clean;
}
