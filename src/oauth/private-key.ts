import { createPrivateKey } from "node:crypto";
import type { KeyObject, webcrypto } from "node:crypto";
import { AppError } from "../core/errors.ts";
import { isJsonObject, parseJson } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";

/** A key that a client shows itself by (RFC 7523 §2.2). */
export interface SigningKey {
  key: webcrypto.CryptoKey;
  /** Of RFC 7518 §3.1. */
  algorithm: string;
  /** Of a JWK that has one. */
  kid?: string | undefined;
}

const curves: Readonly<Record<string, { namedCurve: string; algorithm: string }>> = {
  prime256v1: { namedCurve: "P-256", algorithm: "ES256" },
  secp384r1: { namedCurve: "P-384", algorithm: "ES384" },
  secp521r1: { namedCurve: "P-521", algorithm: "ES512" },
};

/**
 * Understands a private key: PEM (PKCS #8, and what else OpenSSL reads) or one JWK; RSA, EC or Ed25519.
 * @param text of the file; it is not repeated
 * @param path of the file, for the message
 * @throws AppError `usage`
 */
export async function readPrivateKey(text: string, path: string): Promise<SigningKey> {
  const jwk = text.trimStart().startsWith("{") ? jwkIn(text) : undefined;
  let key: KeyObject;
  try {
    key = createPrivateKey(jwk ? { key: jwk, format: "jwk" } : text);
  } catch (error) {
    // Why is not said: the reason may hold parts of the key.
    throw unusable(path, /ENCRYPTED/u.test(text) ? "it is encrypted" : undefined, error);
  }
  const named = jwk?.["alg"];
  const parameters = parametersOf(key, typeof named === "string" ? named : undefined);
  if (!parameters) throw unusable(path, "it is neither RSA (2048 bits or more) nor EC nor Ed25519");
  const der = key.export({ format: "der", type: "pkcs8" });
  const kid = jwk?.["kid"];
  return {
    key: await crypto.subtle.importKey("pkcs8", der, parameters.subtle, false, ["sign"]),
    algorithm: parameters.algorithm,
    ...(typeof kid === "string" && kid !== "" ? { kid } : {}),
  };
}

interface SigningParameters {
  algorithm: string;
  subtle: webcrypto.EcKeyImportParams | webcrypto.RsaHashedImportParams | { name: string };
}

/** @param named a JWK's `alg`; it chooses among the ways to sign with an RSA key */
function parametersOf(
  { asymmetricKeyType, asymmetricKeyDetails }: KeyObject,
  named: string | undefined,
): SigningParameters | undefined {
  if (asymmetricKeyType === "ed25519") {
    return { algorithm: "EdDSA", subtle: { name: "Ed25519" } };
  }
  if (asymmetricKeyType === "ec") {
    const curve = curves[asymmetricKeyDetails?.namedCurve ?? ""];
    return (
      curve && {
        algorithm: curve.algorithm,
        subtle: { name: "ECDSA", namedCurve: curve.namedCurve },
      }
    );
  }
  if (asymmetricKeyType !== "rsa" || (asymmetricKeyDetails?.modulusLength ?? 0) < 2048) {
    return undefined;
  }
  const [, kind, bits] = /^(PS|RS)(256|384|512)$/u.exec(named ?? "") ?? ["", "RS", "256"];
  const name = kind === "PS" ? "RSA-PSS" : "RSASSA-PKCS1-v1_5";
  return { algorithm: `${kind}${bits}`, subtle: { name, hash: `SHA-${bits}` } };
}

function jwkIn(text: string): JsonObject | undefined {
  try {
    const json = parseJson(text);
    return isJsonObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function unusable(path: string, because: string | undefined, cause?: unknown): AppError {
  return new AppError(
    "usage",
    `${path} holds no private key that can be used here${because === undefined ? "" : `: ${because}`}`,
    { hint: "Give a PEM file (PKCS #8, not encrypted) or a JWK, of RSA, EC or Ed25519", cause },
  );
}
