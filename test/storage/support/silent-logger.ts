import type { Logger } from "../../../src/core/logger.ts";

/** Says nothing, and remembers what was said loudly. */
export function createSilentLogger(): Logger & {
  readonly warnings: string[];
  readonly errors: string[];
} {
  const warnings: string[] = [];
  const errors: string[] = [];
  return {
    warnings,
    errors,
    debug: () => undefined,
    info: () => undefined,
    warn: (message) => void warnings.push(message),
    error: (message) => void errors.push(message),
  };
}
