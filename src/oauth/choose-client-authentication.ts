import type { ClientAuthentication, OAuthClient } from "./oauth.ts";

/**
 * Chooses how a client shows itself: by what it has, among what the server takes.
 * @param methods `token_endpoint_auth_methods_supported`; undefined: `client_secret_basic` (RFC 8414 §2)
 */
export function chooseClientAuthentication(
  { secret, keyFile }: Pick<OAuthClient, "secret" | "keyFile">,
  methods: readonly string[] | undefined,
): ClientAuthentication {
  if (keyFile !== undefined) return "private_key_jwt";
  if (secret === undefined) return "none";
  const takes = methods ?? ["client_secret_basic"];
  if (takes.includes("client_secret_basic")) return "client_secret_basic";
  if (takes.includes("client_secret_post")) return "client_secret_post";
  // A server that takes no secrets is not shown one, unless it says nothing that could be done here.
  return takes.includes("none") ? "none" : "client_secret_basic";
}
