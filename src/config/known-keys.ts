import { isJsonObject } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { authOptionKeys, authOptions } from "./auth-options-schema.ts";
import type { KeyPath } from "./configuration-problem.ts";
import { knownKeys } from "./configuration-schema.ts";
import { claims } from "./identity-mapping-schema.ts";

const entryKeys = ["type", "options"];

/** The keys that an object at a place of the file may have, for "did you mean". */
export function keysKnownAt(path: KeyPath, root: Json): readonly string[] {
  const [first, , third] = path;
  if (first === "auth") return keysOfAuth(path, root);
  if (first === "mcpServers" && path.length === 2) return knownKeys.server;
  if (first === "mcpServers" && third === "access") return knownKeys.access;
  if (first === "mcpServers" && third === "tools") return knownKeys.tools;
  if (first === "presets") return knownKeys.preset;
  if (first === "rateLimit")
    return path.length === 1 ? knownKeys.rateLimit : knownKeys.limitsOfRoles;
  if (first === "audit") return knownKeys.audit;
  if (first === "tls") return knownKeys.tls;
  return knownKeys.top;
}

function keysOfAuth(path: KeyPath, root: Json): readonly string[] {
  const place = path.indexOf("options");
  if (place < 0) return entryKeys;
  const inside = path[place + 1];
  if (inside === "tokens") return authOptionKeys.staticToken;
  if (inside === "introspection") return authOptionKeys.introspection;
  if (inside === "claims") return Object.keys(claims.shape);
  const type = valueAt(root, [...path.slice(0, place), "type"]);
  const options = Object.entries(authOptions).find(([name]) => name === type)?.[1];
  return options === undefined ? [] : Object.keys(options.shape);
}

/** What stands at a place of the file; undefined: nothing. */
export function valueAt(root: Json, path: KeyPath): Json | undefined {
  let current: Json | undefined = root;
  for (const key of path) {
    if (Array.isArray(current) && typeof key === "number") current = current[key];
    else if (isJsonObject(current) && typeof key === "string" && Object.hasOwn(current, key)) {
      current = current[key];
    } else return undefined;
  }
  return current;
}
