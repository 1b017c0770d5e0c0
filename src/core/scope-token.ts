/** One scope (RFC 6749 §3.3 `scope-token`). */
export const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Whether a text is one scope, which a request or a header can hold. */
export function isScopeToken(text: string): boolean {
  return scopeToken.test(text);
}

/** Of a foreign list: more scopes than any server has, and none that is longer in characters. */
export const maxScopes = 200;
export const longestScope = 200;
