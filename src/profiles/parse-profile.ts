import { isJsonObject } from "../core/json.ts";
import { covers, parseServerUrl } from "../core/url.ts";
import { profileSources, storeKinds } from "./profile.ts";
import type { Profile } from "./profile.ts";

/** Names that can be typed, shown and stored without quoting. */
const profileName = /^[\w.@-]{1,64}$/u;

export function isProfileName(name: string): boolean {
  return profileName.test(name);
}

/**
 * Reads the text of a profile's file, by hand: a schema library would cost more than the rest of the
 * command. Its endpoints must lie within its URL, so that no edited file sends a token somewhere else.
 * @returns what is wrong with it, as a word for people, where it is no profile
 */
export function parseProfile(text: string): Profile | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: "is not JSON" };
  }
  if (!isJsonObject(value)) return { problem: "is not a JSON object" };

  const { name } = value;
  const url = canonicalOf(value["url"]);
  if (url === undefined) return wrong("url");
  if (typeof name !== "string" || !isProfileName(name)) return wrong("name");
  const endpoint = textOf(value["endpoint"]);
  if (endpoint === undefined || !covers(url, endpoint)) return wrong("endpoint");
  const verifiedEndpoint = textOf(value["verifiedEndpoint"]);
  if (verifiedEndpoint !== undefined && !covers(url, verifiedEndpoint)) {
    return wrong("verifiedEndpoint");
  }
  const store = storeKinds.find((kind) => kind === value["store"]);
  if (store === undefined) return wrong("store");
  const source = profileSources.find((known) => known === value["source"]);
  if (source === undefined) return wrong("source");
  const createdAtMs = time(value["createdAtMs"]);
  if (createdAtMs === undefined) return wrong("createdAtMs");
  return {
    url,
    name,
    endpoint,
    verifiedEndpoint,
    store,
    source,
    server: (["onedoor", "mcp"] as const).find((kind) => kind === value["server"]),
    instanceId: textOf(value["instanceId"]),
    tokenId: textOf(value["tokenId"]),
    who: textOf(value["who"]),
    role: textOf(value["role"]),
    createdAtMs,
    expiresAtMs: time(value["expiresAtMs"]),
    renewedAtMs: time(value["renewedAtMs"]),
    renews: typeof value["renews"] === "boolean" ? value["renews"] : undefined,
    issuer: textOf(value["issuer"]),
    scope: textOf(value["scope"]),
    chosenAtMs: time(value["chosenAtMs"]),
  };
}

function wrong(key: string): { problem: string } {
  return { problem: `has a wrong "${key}"` };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** What a Date can hold, in milliseconds (ECMA-262 §21.4.1.1). */
const lastTimeMs = 8.64e15;

function time(value: unknown): number | undefined {
  return typeof value === "number" && Math.abs(value) <= lastTimeMs ? value : undefined;
}

/** A URL that is its own canonical form; plain http was agreed to when the profile was made. */
function canonicalOf(value: unknown): Profile["url"] | undefined {
  if (typeof value !== "string") return undefined;
  try {
    const { canonical } = parseServerUrl(value, { insecureHttp: true });
    return canonical === value ? canonical : undefined;
  } catch {
    return undefined;
  }
}
