import { proxySecrets } from "../client/choose-proxy.ts";
import { leaveUnchecked, setNetwork } from "../client/network.ts";
import type { Environment } from "../config/environment.ts";
import { AppError } from "../core/errors.ts";
import type { CommandModule, ServerOptions } from "./command.ts";
import type { Context } from "./context.ts";
import type { KnownSecrets } from "./known-secrets.ts";
import type { ServerChoice } from "./server-choice.ts";

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
  const { readAuthorities } = await import("../client/authorities.ts");
  const from = options.cacert === undefined ? "ONEDOOR_CACERT" : "--cacert";
  setNetwork({ proxies, authorities: await readAuthorities({ path, from }, extraAuthorities) });
}

/**
 * `--insecure`: whatever certificate the chosen server shows is taken, and its alone: neither an authorization server
 * nor a proxy is meant. One's own gateway is known by its certificate and needs none of this.
 */
export function heedInsecure(
  { endpoint, runtime }: ServerChoice,
  options: ServerOptions & { json?: boolean | undefined },
  { io }: Pick<Context, "io">,
): void {
  const { protocol, host } = new URL(endpoint);
  if (options.insecure !== true || protocol !== "https:" || runtime !== undefined) return;
  // A program that reads --json reads one line for a failure and no other.
  if (!leaveUnchecked(endpoint) || options.json === true) return;
  const risk = "whoever stands in between reads the token and answers in its place";
  io.note(`Warning: the certificate of ${host} is not checked (--insecure): ${risk}`, {
    always: true,
  });
}

/** For a command about every profile. @throws AppError `usage` when certificates should not be checked there */
export function refuseInsecure(options: ServerOptions): void {
  if (options.insecure !== true) return;
  throw new AppError("usage", "--insecure is for one server: name it with --url <url>");
}
