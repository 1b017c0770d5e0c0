import { redacted } from "./credential-forms.ts";

/** As the gateway mints them. */
const minted = /od_[\w-]{43}/u;
const eachMinted = new RegExp(minted, "gu");
/** Shorter ones would be found in ordinary words. */
const shortest = 6;

/** Whether a text that a client says of itself says a credential, one of those it has shown or one of ours. */
export function holdsCredential(
  text: string,
  shown: readonly (string | undefined)[] | string | undefined,
): boolean {
  const all = Array.isArray(shown) ? shown : [shown];
  return minted.test(text) || all.some((one) => isLong(one) && text.includes(one));
}

/** The text without the credential that was shown, and without any of ours. */
export function hideCredential(text: string, shown: string | undefined): string {
  const hidden = isLong(shown) ? text.replaceAll(shown, redacted) : text;
  // Looking for its beginning first is a fraction of the pattern's work, for texts of each call.
  return hidden.includes("od_") ? hidden.replaceAll(eachMinted, redacted) : hidden;
}

function isLong(credential: string | undefined): credential is string {
  return credential !== undefined && credential.length >= shortest;
}
