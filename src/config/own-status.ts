import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import type { AppError } from "../core/errors.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { configurationError } from "./configuration-problem.ts";

/**
 * What a configuration file is at its own path.
 * @returns undefined where there is none
 * @throws AppError `config_invalid` for a link
 */
export async function ownStatus(file: string): Promise<Stats | undefined> {
  try {
    const status = await lstat(file);
    if (!status.isSymbolicLink()) return status;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw refusal(file, `cannot be read (${systemErrorCode(error) ?? "unknown error"})`);
  }
  throw refusal(file, "is a link, and nothing is written through one", "edit the file behind it");
}

/** What a configuration file is refused with, as a whole. */
export function refusal(file: string, reason: string, hint?: string): AppError {
  return configurationError(file, [{ path: [], reason, hint }]);
}
