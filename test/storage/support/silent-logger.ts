import type { Logger } from "../../../src/core/logger.ts";

/** Says nothing, and remembers what was said loudly. */
export function createSilentLogger(): Logger & { readonly errors: string[] } {
  const errors: string[] = [];
  return {
    errors,
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message) => void errors.push(message),
  };
}
