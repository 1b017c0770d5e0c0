import { AppError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { secretReferences } from "../core/secret-reference.ts";
import type { KeyPath } from "./configuration-problem.ts";
import { isOfDisabled } from "./disabled-entries.ts";
import { isPlainText } from "./references.ts";

/**
 * Gives what is kept under a name; undefined where nothing is.
 * @throws AppError `store_unavailable`
 */
export type ReadSecret = (name: string) => Promise<string | undefined>;

/**
 * Reads every secret that a document names, each once, one after the other: a key ring that a person has to open asks
 * once. Nothing is asked where none is named, and nothing for a server that is disabled.
 * @param describe says where a path is, for people
 * @throws AppError what `read` throws, with the place of the reference before its message
 */
export async function readSecrets(
  value: Json,
  read: ReadSecret,
  describe: (path: KeyPath) => string,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const asked = new Set<string>();
  for (const { name, path } of secretReferences(value)) {
    if (asked.has(name) || isOfDisabled(value, path) || isPlainText(path)) continue;
    asked.add(name);
    try {
      const secret = await read(name);
      if (secret !== undefined) found.set(name, secret);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      throw new AppError(error.code, `${describe(path)}: ${error.message}`, {
        hint: error.hint,
        cause: error,
      });
    }
  }
  return found;
}
