import { proxySecrets } from "../client/choose-proxy.ts";
import { setNetwork } from "../client/network.ts";
import type { Environment } from "../config/environment.ts";
import type { CommandModule, ServerOptions } from "./command.ts";
import type { KnownSecrets } from "./known-secrets.ts";
import { readSmallFile } from "./read-small-file.ts";

/** Far more than all authorities of a system take, in bytes. */
const maxFileBytes = 4 * 1024 * 1024;

/**
 * Says how this command gets to servers: the proxies of the environment, and whom it trusts (`--cacert`,
 * `ONEDOOR_CACERT`).
 * @throws AppError `usage` (the file of certificates)
 */
export async function chooseNetwork(
  options: ServerOptions,
  { talksToServer, options: own }: Pick<CommandModule, "talksToServer" | "options">,
  { environment, secrets }: { environment: Environment; secrets: KnownSecrets },
): Promise<void> {
  const { proxies, cacert, extraAuthorities } = environment;
  for (const secret of proxySecrets(proxies)) secrets.add(secret);
  const path = talksToServer || "cacert" in own ? (options.cacert ?? cacert) : undefined;
  if (path === undefined) {
    setNetwork({ proxies });
    return;
  }
  const { authoritiesHint, authoritiesIn } = await import("../client/authorities.ts");
  const file = {
    path,
    from: options.cacert === undefined ? "ONEDOOR_CACERT" : "--cacert",
  } as const;
  const hint = authoritiesHint(file);
  const text = await readSmallFile(path, maxFileBytes, "certificates", hint);
  // One that cannot be read is left out by Node too.
  const extra =
    extraAuthorities &&
    (await readSmallFile(extraAuthorities, maxFileBytes, "certificates").catch(() => ""));
  setNetwork({ proxies, authorities: authoritiesIn(text, file, extra) });
}
