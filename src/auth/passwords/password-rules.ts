/** The most a password may take, in bytes of UTF-8: far beyond any pass phrase. */
export const maxPasswordBytes = 1024;

/** In characters (code points): more than the 8 that SP 800-63B §5.1.1.2 asks for, since nothing stands beside it. */
const minNewPasswordLength = 12;

/** How to come by one that is taken. */
export const newPasswordHint = `At least ${minNewPasswordLength} characters, at most ${maxPasswordBytes} bytes, and not the user's id: some words in a row will do`;

/** A control character, or half a character (a lone surrogate). */
const unfit = /[\p{Cc}\p{Cs}]/u;

/**
 * What is wrong with a password that somebody wants to set, as a sentence without it; undefined: nothing. No mixture
 * of kinds of characters is asked for (SP 800-63B §5.1.1.2).
 */
export function newPasswordFault(password: string): string | undefined {
  if (Buffer.byteLength(password) > maxPasswordBytes) {
    return `A password has at most ${maxPasswordBytes} bytes`;
  }
  if (unfit.test(password)) return "A password holds no control characters";
  // Code points are counted, so that an emoji is one character.
  return Array.from(normalPassword(password)).length < minNewPasswordLength
    ? `A password has at least ${minNewPasswordLength} characters`
    : undefined;
}

/**
 * The one spelling of a password, whatever keyboard it was typed on: NFKC, which SP 800-63B §5.1.1.2 names, so that
 * `é` is the same composed or not, and a full-width letter the same as a narrow one.
 */
export function normalPassword(password: string): string {
  return password.normalize("NFKC");
}
