/** As many characters as names of servers and presets have at most. */
export const longestVisibleName = 64;

/** Control characters, and invisible ones that reorder or hide text in a listing; halves of a character. */
const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const everyHidden = new RegExp(hidden.source, "gu");

export function hasHidden(text: string): boolean {
  return hidden.test(text);
}

export function withoutHidden(text: string): string {
  return text.replaceAll(everyHidden, "");
}

/** Why nothing of a kind (`server`, `preset`) can have this name. */
export function faultOfVisibleName(name: string, kind: string): string | undefined {
  if (name.trim() === "") return `the ${kind}'s name must not be empty`;
  if (name.length > longestVisibleName) {
    return `a ${kind}'s name has at most ${longestVisibleName} characters`;
  }
  if (hasHidden(name)) return `a ${kind}'s name must not hold control or invisible characters`;
  if (name.trim() !== name) return `a ${kind}'s name must not begin or end with a space`;
  return undefined;
}
