import { AppError } from "../core/errors.ts";
import { errorOfAnswer, notAGateway } from "./answer-error.ts";
import { bearerHeader } from "./bearer-header.ts";
import { askJson } from "./http-json.ts";
import type { JsonAnswer } from "./http-json.ts";
import { baseOf } from "./server-address.ts";

/** Where a question goes, and what it shows. */
export interface AdministrationAccess {
  endpoint: string;
  bearer: string | undefined;
  /** It is the running gateway of this user: the hints of its errors are shown as ours. */
  ownGateway: boolean;
}

/**
 * Asked before each question. `refused` is the bearer that the gateway has just refused: another access is
 * wanted, and the same one means that there is none.
 */
export type FindAccess = (signal: AbortSignal, refused?: string) => Promise<AdministrationAccess>;

/** What is sent as a query; what is undefined is left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

export interface Question {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/api/v1`, or below the address itself, each part a name of its own. */
  path: readonly string[];
  isBelowAddress?: boolean | undefined;
  query?: Query | undefined;
  body?: object | undefined;
}

/**
 * Asks one question and reads its answer.
 * @param read undefined for what is no answer to it
 * @param limit in place of the deadline of the command
 * @throws AppError as `AdministrationClient` says
 */
export type Ask = <T>(
  question: Question,
  read: (json: unknown) => T | undefined,
  limit?: AbortSignal,
) => Promise<T>;

const maxAnswer = { maxBytes: 64 * 1024 * 1024 };

/** @param signal the deadline of the command */
export function createAsk(findAccess: FindAccess, signal: AbortSignal): Ask {
  return async (question, read, limit = signal) => {
    let access = await findAccess(limit);
    let answer = await askOnce(access, question, limit);
    if (answer.status === 401 && access.bearer !== undefined) {
      // Nothing has been done, so it may be asked again.
      const refused = access.bearer;
      access = await findAccess(limit, refused);
      if (access.bearer !== refused) answer = await askOnce(access, question, limit);
    }
    const { status, url, mediaType, json } = answer;
    if (status < 200 || status > 299) throw refusal(url, answer, access);
    const found = read(json);
    if (found === undefined) throw notAGateway(url, mediaType);
    return found;
  };
}

async function askOnce(
  { endpoint, bearer }: AdministrationAccess,
  { method, path, isBelowAddress, query = {}, body }: Question,
  limit: AbortSignal,
): Promise<JsonAnswer & { url: string }> {
  const search = searchOf(query);
  const folder = isBelowAddress === true ? "" : "/api/v1";
  const url = `${baseOf(endpoint)}${folder}/${path.map(encodeURIComponent).join("/")}${search}`;
  const answer = await askJson(
    {
      url,
      method,
      headers: {
        ...bearerHeader(bearer),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: limit,
    },
    maxAnswer,
  );
  return { ...answer, url };
}

function searchOf(query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) given.set(name, String(value));
  }
  return given.size === 0 ? "" : `?${given.toString()}`;
}

/** What is said of tools and servers elsewhere helps nobody here. */
function refusal(
  url: string,
  answer: JsonAnswer,
  { bearer, ownGateway }: AdministrationAccess,
): AppError {
  const error = errorOfAnswer(url, answer, bearer !== undefined, ownGateway);
  return error.code === "not_found" && !ownGateway
    ? new AppError("not_found", error.message)
    : error;
}
