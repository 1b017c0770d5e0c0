import { AppError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { objectIn, troubleIn } from "./answer-failure.ts";
import type { OAuthDependencies } from "./oauth.ts";

/**
 * Asks one address after the other for a JSON document.
 * @param read undefined: it is another kind of document
 * @returns the first that `read` takes; undefined when there is none (4xx, or a page for people)
 * @throws AppError the first failure, when there were some and nothing was found
 */
export async function firstDocument<T>(
  addresses: readonly string[],
  read: (json: JsonObject, address: string) => T | undefined,
  { ask, signal }: OAuthDependencies,
): Promise<T | undefined> {
  let failure: AppError | undefined;
  for (const url of addresses) {
    try {
      const headers = { accept: "application/json" };
      const answer = await ask({ method: "GET", url, headers, signal });
      const trouble = troubleIn(url, answer);
      if (trouble) throw trouble;
      const json = answer.status === 200 ? objectIn(answer.body) : undefined;
      const document = json && read(json, url);
      if (document !== undefined) return document;
    } catch (error) {
      // What takes too long would take as long once more.
      if (!(error instanceof AppError) || error.code === "timeout") throw error;
      failure ??= error;
    }
  }
  if (failure) throw failure;
  return undefined;
}
