import type { JwtRules } from "../../core/configuration.ts";
import { AppError } from "../../core/errors.ts";
import { oneLine } from "../../core/terminal-text.ts";
import { publicKeyAlgorithms } from "./json-web-keys.ts";

/** The bytes that a shared secret must have at least: as many as its hash (RFC 7518 §3.2). */
const secretBytes: ReadonlyMap<string, number> = new Map([
  ["HS256", 32],
  ["HS384", 48],
  ["HS512", 64],
]);

/**
 * Holds rules to what makes them safe, whoever made them: algorithms of one kind, which fits the keys, so that a
 * public key is never taken for a secret (RFC 8725 §3.1); an audience; a secret that cannot be guessed.
 * @throws AppError `config_invalid`
 */
export function requireSafeRules({ audience, algorithms, keys }: JwtRules): void {
  const allowed = keys.kind === "secret" ? [...secretBytes.keys()] : publicKeyAlgorithms;
  const other = algorithms.find((algorithm) => !allowed.includes(algorithm));
  if (other !== undefined) {
    throw invalid(`the algorithm ${oneLine(other, 40)} does not go with ${keys.kind}`);
  }
  if (algorithms.length === 0) throw invalid("no algorithm is accepted");
  if (audience.length === 0) throw invalid("no audience is accepted");
  if (keys.kind !== "secret") return;
  const needed = Math.max(...algorithms.map((algorithm) => secretBytes.get(algorithm) ?? 0));
  if (Buffer.byteLength(keys.secret) < needed) {
    throw invalid(`the secret has less than the ${needed} bytes that its algorithm needs`);
  }
}

function invalid(what: string): AppError {
  return new AppError("config_invalid", `JWTs cannot be checked safely: ${what}`);
}
