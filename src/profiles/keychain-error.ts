import { AppError } from "../core/errors.ts";

/** There is a keychain and it cannot be used: locked, refusing, or silent. */
export function keychainUnusable(detail: string, cause?: unknown): AppError {
  return new AppError("store_unavailable", "Keychain is locked; unlock it or use --store file", {
    hint: `agent auth login --store file (${detail})`,
    cause,
  });
}

/** There is none, and it was asked for. */
export function keychainAbsent(reason: string): AppError {
  return new AppError("store_unavailable", `There is no keychain here: ${reason}`, {
    hint: "agent auth login --store file",
  });
}
