import type { ServerConfiguration } from "../core/configuration.ts";

// What every program inherits is no secret, and cutting HOME out of paths would hide what matters.
const inherited = /^(?:PATH|HOME|LANG|LANGUAGE|TMPDIR|LC_.*)$/i;
/** Shorter values (`1`, `true`, `3000`) are no secrets and would cut holes into ordinary words. */
const shortestSecret = 6;

/**
 * A function that takes the values of this server's headers and environment out of a text: reasons and
 * standard error are shown to others than those who wrote the configuration.
 */
export function createSecretScrubber(configuration: ServerConfiguration): (text: string) => string {
  const values =
    configuration.type === "http"
      ? Object.values(configuration.headers).flatMap((value) => [value].concat(value.split(/\s+/)))
      : Object.entries(configuration.env)
          .filter(([name]) => !inherited.test(name))
          .map(([, value]) => value);
  const secrets = [...new Set(values)]
    .filter((value) => value.length >= shortestSecret && !/^(?:bearer|basic)$/i.test(value))
    // The longest first, so that a value that contains another goes as a whole.
    .toSorted((a, b) => b.length - a.length);
  return (text) => secrets.reduce((result, secret) => result.replaceAll(secret, "[hidden]"), text);
}
