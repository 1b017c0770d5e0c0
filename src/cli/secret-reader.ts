import type { ReadSecret } from "../config/secret-references.ts";
import type { ServerSecrets } from "../profiles/server-secrets.ts";
import type { Context } from "./context.ts";

/** What `${secret:NAME}` in a configuration is read by. The key ring is loaded and asked at the first secret, if ever. */
export function createSecretReader(context: Context): ReadSecret {
  let opened: Promise<ServerSecrets> | undefined;
  return async (name) => {
    opened ??= import("./open-server-secrets.ts").then(({ openServerSecretsOf }) =>
      openServerSecretsOf(context),
    );
    return (await opened).get(name);
  };
}
