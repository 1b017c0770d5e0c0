import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import type { OAuthClient, OAuthGrant } from "../oauth/oauth.ts";
import type { ProfileDraft } from "./profile.ts";
import type { StoredCredential } from "./stored-credential.ts";

/** Holds a space, which no bearer can (RFC 6750 §2.1): no text of this form is ever taken for a token. */
const mark = "od1 ";
const space = /[\s\p{Cc}]/u;

/** What a store's text holds. */
export interface DecodedCredential {
  credential: StoredCredential;
  /** Whom it was written for, as `ownerOf` says; undefined in a text that is nothing but a bearer. */
  owner: string | undefined;
}

/**
 * Whom a profile's credential is kept for: a text that somebody moved into another profile's place, or a local token
 * whose profile was edited to be something else, is known by it and shown to nobody.
 */
export function ownerOf({ url, name, source, instanceId }: ProfileDraft): string {
  return [url, name, ...(source === "local" ? [instanceId ?? ""] : [])].join(" ");
}

/** The text that a store keeps for a credential: `od1 <JSON>`. */
export function encodeCredential(
  { token, oauth, session }: StoredCredential,
  owner: string,
): string {
  return `${mark}${JSON.stringify({ for: owner, token, oauth, session })}`;
}

/**
 * Reads what `encodeCredential` made, or a plain bearer. Undefined for any other text: nothing of it may be shown to a
 * server.
 */
export function decodeCredential(text: string): DecodedCredential | undefined {
  if (!text.startsWith(mark)) {
    if (text === "" || space.test(text)) return undefined;
    return { credential: { token: text }, owner: undefined };
  }
  let value: unknown;
  try {
    value = JSON.parse(text.slice(mark.length));
  } catch {
    return undefined;
  }
  if (!isCredential(value)) return undefined;
  const { for: owner, ...credential } = value;
  return { credential, owner };
}

/** All of a credential that nobody may see. */
export function secretsOf({ token, oauth, session }: StoredCredential): string[] {
  return [token, oauth?.refreshToken, oauth?.client.secret, session?.refreshToken].filter(
    (secret) => secret !== undefined,
  );
}

const grantTypes = ["authorization_code", "device_code", "client_credentials"] as const;
const authentications = [
  "none",
  "client_secret_basic",
  "client_secret_post",
  "private_key_jwt",
] as const;

// What a credential must hold is looked at, and whatever else it holds is kept: parts of an OAuth client add to it.

function isCredential(value: unknown): value is StoredCredential & { for?: string } {
  return (
    hasTexts(value, ["token"], ["for"]) &&
    value["token"] !== "" &&
    (value["oauth"] === undefined || isGrant(value["oauth"])) &&
    (value["session"] === undefined || hasTexts(value["session"], ["refreshToken"], []))
  );
}

function isGrant(value: unknown): value is OAuthGrant {
  return (
    hasTexts(
      value,
      ["issuer", "tokenEndpoint", "resource"],
      ["revocationEndpoint", "scope", "refreshToken"],
    ) &&
    grantTypes.some((known) => known === value["type"]) &&
    isClient(value["client"])
  );
}

function isClient(value: unknown): value is OAuthClient {
  return (
    hasTexts(value, ["id"], ["secret", "keyFile"]) &&
    authentications.some((known) => known === value["authentication"])
  );
}

/** Whether it is an object with texts under these keys; `optional` ones may be missing. */
function hasTexts(
  value: unknown,
  required: readonly string[],
  optional: readonly string[],
): value is JsonObject {
  return (
    isJsonObject(value) &&
    required.every((key) => typeof value[key] === "string") &&
    optional.every((key) => value[key] === undefined || typeof value[key] === "string")
  );
}
