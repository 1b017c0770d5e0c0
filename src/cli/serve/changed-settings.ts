import { isDeepStrictEqual } from "node:util";
import type { Configuration } from "../../core/configuration.ts";

/** The files behind the paths in `tls` are looked after by themselves: a renewed certificate needs no restart. */
const fixed = [
  "host",
  "port",
  "externalUrl",
  "allowedHosts",
  "allowedOrigins",
  "trustedProxies",
  "allowQueryToken",
  "tls",
  "maxBodyBytes",
] as const satisfies (keyof Configuration)[];

/** What of a changed configuration a running gateway cannot take over, in the words of the file. */
export function changedSettings(first: Configuration, changed: Configuration): string[] {
  return [
    ...fixed.filter((key) => !isDeepStrictEqual(first[key], changed[key])),
    ...(isToOrFromNone(first, changed) ? ['auth (to or from "none")'] : []),
  ];
}

/**
 * Whether one of the two lets everybody in and the other does not. What guards an open gateway (Host, Origin, no
 * forwarding) is decided when it starts, so that neither may become the other while it runs.
 */
export function isToOrFromNone(
  first: Pick<Configuration, "auth">,
  changed: Pick<Configuration, "auth">,
): boolean {
  return isOpen(first) !== isOpen(changed);
}

function isOpen({ auth }: Pick<Configuration, "auth">): boolean {
  return auth.some(({ type }) => type === "none");
}
