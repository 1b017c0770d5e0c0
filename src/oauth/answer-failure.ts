import { AppError } from "../core/errors.ts";
import type { AppErrorOptions } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { sayForeign } from "./foreign-text.ts";
import type { OAuthAnswer } from "./oauth.ts";
import { hostOf } from "./sign-in-address.ts";

/** What an authorization server says when it says no; all of it foreign. */
interface ForeignRefusal {
  error: string;
  description?: unknown;
  date?: string | undefined;
}

/** An authorization server says no, in OAuth's form (RFC 6749 §5.2). */
export class OAuthRefusal extends AppError {
  /** One of the registered error codes, or whatever the server made up: foreign text. */
  readonly error: string;
  /** Of the answer, as the server's clock gave it. */
  readonly date: string | undefined;
  /** What the server says of it beside, as it came; foreign text. */
  readonly description: string | undefined;

  constructor(
    message: string,
    { error, date, description }: ForeignRefusal,
    options: AppErrorOptions = {},
  ) {
    super("auth_rejected", message, options);
    this.error = error;
    this.date = date;
    this.description = typeof description === "string" ? description : undefined;
  }
}

/** What a foreign error says, short enough for a message of ours: the words for people first, where there are some. */
export function sayRefusal({ error, description }: ForeignRefusal): string {
  const code = sayForeign(error, 80);
  return typeof description === "string" && description.trim() !== ""
    ? `${sayForeign(description)} (${code})`
    : code;
}

/** The object that an answer holds; undefined when it holds something else. */
export function objectIn(body: string): JsonObject | undefined {
  try {
    const json: unknown = JSON.parse(body);
    return isJsonObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** Somebody answered, with what is no answer of an authorization server. */
export function nonsense(url: string, because: string): AppError {
  return new AppError("auth_rejected", `${hostOf(url)} does not answer as OAuth says: ${because}`, {
    hint: "The operator of the server can put it right",
  });
}

/** The failure behind an answer of a server that has trouble of its own; undefined when it has none. */
export function troubleIn(url: string, { status, headers }: OAuthAnswer): AppError | undefined {
  const host = hostOf(url);
  if (status === 429) {
    const seconds = Number(headers["retry-after"]);
    return new AppError("rate_limited", `${host} has had too many requests`, {
      hint: "Wait a little, and try again",
      ...(Number.isInteger(seconds) && seconds > 0 && seconds < 86_400
        ? { retryAfterSeconds: seconds }
        : {}),
    });
  }
  if (status >= 500 || status < 200) {
    return new AppError("unreachable", `${host} has trouble of its own: it answered ${status}`, {
      hint: "Try again later",
    });
  }
  if (status >= 300 && status < 400) {
    return new AppError("unreachable", `${host} redirects; redirects are not followed`);
  }
  return undefined;
}

/**
 * What an endpoint answered, when it is what was asked for. In place of oauth4webapi's `process…Response`, which refuse
 * what real servers say: a refusal with 200, a registration with 200 or without `client_secret_expires_at`, a lifetime
 * that is null, an ID token whose times our clock does not like. What they do check is checked by who reads the object.
 * @throws AppError `unreachable` (5xx, a redirect), `rate_limited`, `auth_rejected`: an `OAuthRefusal` when the server
 *   gave a reason
 */
export function readAnswer(url: string, answer: OAuthAnswer): JsonObject {
  const trouble = troubleIn(url, answer);
  if (trouble) throw trouble;
  const json = objectIn(answer.body);
  const error = json?.["error"];
  if (typeof error === "string" && error !== "") {
    const refusal = {
      error,
      description: json?.["error_description"],
      date: answer.headers["date"],
    };
    throw new OAuthRefusal(`${hostOf(url)} refused: ${sayRefusal(refusal)}`, refusal);
  }
  if (answer.status >= 400) throw nonsense(url, `it answered ${answer.status} without a reason`);
  if (!json) throw nonsense(url, "it sent no JSON object");
  return json;
}
