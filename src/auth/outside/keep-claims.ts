import type { ClaimPath, IdentityMapping } from "../../core/configuration.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { parseScope } from "../../core/scopes.ts";
import { claimAt, claimsRead } from "./claims-principal.ts";
import type { KeepConfirmed } from "./confirmations.ts";

/** What each value takes beside its characters, roughly. */
const perValue = 64;
/** What each confirmation takes beside its values. */
const perConfirmation = 512;

/**
 * Keeps of an answer what `claimsPrincipal` makes somebody of: texts and lists of texts at the paths of the mapping,
 * scopes that mean something. The rest, which users may have written themselves, as much and as deeply nested as they
 * like, is let go without having been walked through.
 */
export function keepClaims(
  mapping: Pick<IdentityMapping, "claims" | "requiredScopes">,
): KeepConfirmed {
  const paths = claimsRead(mapping);
  const required = new Set(mapping.requiredScopes);
  return (confirmed) => {
    const claims: JsonObject = {};
    // A scope that is kept may hold in memory the whole text that it was a part of.
    let weight = perConfirmation + weightOf([...confirmed.scopes]);
    for (const path of paths) {
      const value = flat(claimAt(confirmed.claims, path));
      if (value === undefined) continue;
      put(claims, path, value);
      weight += weightOf(value) + path.length * perValue;
    }
    const scopes = [...new Set(confirmed.scopes)].filter(
      (scope) => required.has(scope) || parseScope(scope) !== undefined,
    );
    return { kept: { ...confirmed, claims, scopes }, weight };
  };
}

/** As it is read: nothing within an object or within a list's lists and objects is. */
function flat(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((each) => (typeof each === "string" ? each : null));
  return isJsonObject(value) ? undefined : value;
}

/** Sets an own property whatever its name: `__proto__` is one too. */
function put(claims: JsonObject, path: ClaimPath, value: Json): void {
  let into = claims;
  for (const [index, name] of path.entries()) {
    const isLast = index === path.length - 1;
    const there = Object.hasOwn(into, name) ? into[name] : undefined;
    const next = isLast ? value : isJsonObject(there) ? there : {};
    Object.defineProperty(into, name, {
      value: next,
      configurable: true,
      enumerable: true,
      writable: true,
    });
    if (isJsonObject(next)) into = next;
  }
}

function weightOf(value: Json): number {
  const values = Array.isArray(value) ? value : [value];
  return values.reduce<number>(
    (sum, each) => sum + perValue + (typeof each === "string" ? each.length : 0),
    0,
  );
}
