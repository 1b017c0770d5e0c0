/**
 * What takes two columns of a terminal: Unicode's East Asian Width `W` and `F`, in ranges that hold blocks together, and
 * what is shown as a picture by itself. A library knows more of it, and takes longer to load than most commands run.
 */
const wide =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{16fff}\u{17000}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{2fffd}\u{30000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
/** Marks stand on the character before them; formatting characters are seen by nobody. */
const none = /[\p{Mn}\p{Me}\p{Cf}\p{Cc}]/u;
/** Two of them are one flag. */
const regionalIndicator = /[\u{1f1e6}-\u{1f1ff}]/u;
/** Makes a picture of the character before it. */
const pictureSelector = "\ufe0f";

/** How many columns of a terminal a line of text takes. */
export function textWidth(text: string): number {
  if (/^[ -~]*$/u.test(text)) return text.length;
  let width = 0;
  let last = 0;
  for (const character of text) {
    const own = character === pictureSelector && last === 1 ? 1 : widthOfCharacter(character);
    width += own;
    if (own > 0) last = character === pictureSelector ? 2 : own;
  }
  return width;
}

/**
 * A line that takes at most `limit` columns: what is longer ends in an ellipsis. No character is cut in two, and no mark
 * from what it stands on.
 */
export function cutToWidth(text: string, limit: number): string {
  if (text.length <= limit && /^[ -~]*$/u.test(text)) return text;
  if (textWidth(text) <= limit) return text;
  let kept = "";
  let width = 0;
  for (const character of text) {
    const own = widthOfCharacter(character);
    // A selector may make the one before it wider.
    const needed = character === pictureSelector ? 1 : own;
    if (width + needed > limit - 1) break;
    kept += character;
    width += needed;
  }
  return `${kept.trimEnd()}…`;
}

function widthOfCharacter(character: string): number {
  if (character >= " " && character <= "~") return 1;
  if (none.test(character)) return 0;
  if (regionalIndicator.test(character)) return 1;
  return wide.test(character) ? 2 : 1;
}
