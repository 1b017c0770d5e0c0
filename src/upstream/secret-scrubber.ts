import type { ServerConfiguration } from "../core/configuration.ts";
import { configuredSecrets } from "../core/configured-secrets.ts";

/**
 * A function that takes the values of this server's headers and environment out of a text: reasons and
 * standard error are shown to others than those who wrote the configuration.
 */
export function createSecretScrubber(configuration: ServerConfiguration): (text: string) => string {
  const secrets = configuredSecrets([configuration]);
  return (text) => secrets.reduce((result, secret) => result.replaceAll(secret, "[hidden]"), text);
}
