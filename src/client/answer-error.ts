import { AppError, errorCodes } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import { oneLine } from "../core/terminal-text.ts";
import { shownAddress } from "./http-json.ts";

/** The head of an answer that says no, and its body where that is JSON. */
export interface RefusedAnswer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  json?: unknown;
}

function secondsOf(header: string | string[] | undefined): number | undefined {
  const seconds = Number(Array.isArray(header) ? header[0] : header);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.ceil(seconds) : undefined;
}

function codeOf(value: unknown): ErrorCode | undefined {
  return errorCodes.find((code) => code === value);
}

/** The error that a gateway put into the body of its answer, made an error here again. */
function fromBody(answer: RefusedAnswer): AppError | undefined {
  const body = isJsonObject(answer.json) ? answer.json["error"] : undefined;
  if (!isJsonObject(body)) return undefined;
  const code = codeOf(body["code"]);
  const message = body["message"];
  if (code === undefined || typeof message !== "string") return undefined;
  const hint = body["hint"];
  const seconds = body["retryAfterSeconds"];
  return new AppError(code, oneLine(message, 2000), {
    ...(typeof hint === "string" && { hint: oneLine(hint, 1000) }),
    ...(code === "rate_limited" && {
      retryAfterSeconds:
        typeof seconds === "number" ? seconds : secondsOf(answer.headers["retry-after"]),
    }),
  });
}

/**
 * What an answer outside 200–299 means here. A gateway's own error stays what it is; 401 is about the
 * credential only when one was sent; a fault of the server (5xx) is never a rejected credential.
 * @param bearer whether the question carried one
 */
export function errorOfAnswer(url: string, answer: RefusedAnswer, bearer: boolean): AppError {
  const told = fromBody(answer);
  const where = shownAddress(url);
  if (answer.status === 401) {
    const code = bearer ? "auth_rejected" : "auth_required";
    if (told?.code === code && told.hint !== undefined) return told;
    return new AppError(
      code,
      told?.message ?? (bearer ? `${where} rejected the token` : `${where} needs a sign-in`),
      { hint: told?.hint ?? "agent auth login" },
    );
  }
  if (told) return told;
  if (answer.status === 403) {
    return new AppError("forbidden", `${where} does not allow this (403)`, {
      hint: "agent auth whoami shows who you are there",
    });
  }
  if (answer.status === 429) {
    return new AppError("rate_limited", `${where} limits how often it may be asked (429)`, {
      retryAfterSeconds: secondsOf(answer.headers["retry-after"]),
    });
  }
  return new AppError("unreachable", `${where} answered with HTTP ${answer.status}`, {
    hint:
      answer.status >= 500
        ? "The fault is on the server's side; try again later"
        : "Check that the address is that of an MCP server or a OneDoor gateway",
  });
}
