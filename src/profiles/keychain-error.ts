import { AppError } from "../core/errors.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import type { ProfileKey } from "./profile.ts";

/** A keychain that does not do its work. Its hint is the command that takes a file in its place. */
export class KeychainError extends AppError {
  constructor(message: string, cause?: unknown, key?: ProfileKey) {
    const url = key === undefined ? "" : ` --url ${quoteForShell(key.url)}`;
    const name = key === undefined || key.name === "default" ? "" : ` --profile ${key.name}`;
    const hint = `agent auth login${url}${name} --store file`;
    super("store_unavailable", message, { hint, cause });
  }

  /** The same, where it is known which profile it is about: the hint says so. */
  of(key: ProfileKey): KeychainError {
    return new KeychainError(this.message, this.cause, key);
  }
}

/** There is a keychain and it cannot be used: locked, refusing, or silent. What it said is the cause. */
export function keychainUnusable(detail: string, cause?: unknown): KeychainError {
  return new KeychainError(
    "Keychain is locked; unlock it or use --store file",
    new Error(detail, { cause }),
  );
}

/** There is none, and it was asked for. */
export function keychainAbsent(reason: string): KeychainError {
  return new KeychainError(`There is no keychain here: ${reason}`);
}
