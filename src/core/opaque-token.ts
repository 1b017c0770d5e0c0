import { replacePatterns } from "./credential-forms.ts";

/** Characters that keys and tokens are made of. */
const characters = /^[\w~+=.-]+$/u;
/** `server-filesystem-2025`: words and short numbers. */
const wordy = /^(?:v?\d{1,8}|[A-Za-z]+\d{0,2})(?:[-_.](?:v?\d{1,8}|[A-Za-z]+\d{0,2}))*$/u;

/** Whether a word is a key or token by its looks alone: long, with letters and digits, and no name made of words. */
export function isOpaqueToken(word: string, atLeast: number): boolean {
  if (isKnownToken(word)) return true;
  if (word.length < atLeast || !characters.test(word)) return false;
  return /\d/u.test(word) && /[A-Za-z]/u.test(word) && !wordy.test(word);
}

/** Whether all of a word is a token of a form that is known. */
export function isKnownToken(word: string): boolean {
  return characters.test(word) && replacePatterns(word) === "[redacted]";
}
