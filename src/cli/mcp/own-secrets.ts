import { isSecretOf, secretsIn } from "../../core/secret-reference.ts";
import type { Json } from "../../core/json.ts";

/**
 * Which of the secrets that are kept are a server's own: those that were kept for it, and that nothing else in the
 * file refers to.
 */
export function ownSecrets(
  server: string,
  kept: readonly string[],
  others: readonly Json[],
): string[] {
  const elsewhere = new Set(secretsIn([...others]));
  return kept.filter((name) => isSecretOf(name, server) && !elsewhere.has(name));
}
