import type { IncomingMessage } from "node:http";
import { AppError } from "../core/errors.ts";
import type { Principal } from "../core/principal.ts";
import { oneLine } from "../core/terminal-text.ts";
import type { CallerContext, DoorAnswer, Gateway } from "../gateway/gateway.ts";

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
 * Who sends a request.
 * @throws AppError `auth_required`, `auth_rejected`, `unreachable` (the one to ask does not answer)
 */
export async function authenticateRequest(
  gateway: Gateway,
  request: IncomingMessage,
): Promise<Principal> {
  return principalOf(await gateway.authenticate({ bearer: bearerOf(request) }));
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

/** What a caller says about itself, for the audit row; believed by nobody. */
export function callerOf(principal: Principal, request: IncomingMessage): CallerContext {
  return { principal, ...selfDescription(request) };
}

export function selfDescription(request: IncomingMessage): Omit<CallerContext, "principal"> {
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
