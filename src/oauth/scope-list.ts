import { isScopeToken, longestScope, maxScopes } from "../core/scope-token.ts";

/** The scopes of a list with spaces between (RFC 6749 §3.3), each once; what is no scope is left out. */
export function splitScope(scope: string | undefined): string[] {
  return wellFormedScopes((scope ?? "").split(/\s+/u));
}

/** Those of a foreign list that are scopes (RFC 6749 §3.3), each once. */
export function wellFormedScopes(list: readonly unknown[]): string[] {
  const scopes = list.filter(
    (scope): scope is string =>
      typeof scope === "string" && scope.length <= longestScope && isScopeToken(scope),
  );
  return [...new Set(scopes)].slice(0, maxScopes);
}

/** As a request names them; undefined when there are none. */
export function joinScopes(scopes: readonly string[]): string | undefined {
  return scopes.length === 0 ? undefined : scopes.join(" ");
}
