/** What a key did to the line that is being typed. */
export type TypedKey =
  | { kind: "more" }
  | { kind: "line"; line: string }
  /** Ctrl-C */
  | { kind: "interrupt" }
  /** Ctrl-D on an empty line. */
  | { kind: "end" }
  /** The line would be longer than 4096 characters. */
  | { kind: "too-long" };

/** Takes the characters of a terminal in raw mode, one after the other, and makes lines of them. */
export type LineEditor = (character: string) => TypedKey;

/** More than any password has, in characters (code points). */
const longestLine = 4096;
const more: TypedKey = { kind: "more" };

/**
 * Makes an editor. Backspace and Ctrl-U edit; keys that a terminal sends as escape sequences (arrows) do nothing. Other
 * control characters stay in the line, to be refused by who knows what the line is for.
 */
export function createLineEditor(): LineEditor {
  let line: string[] = [];
  /** Before the character: in an escape sequence, of the longer kind (`ESC [`, `ESC O`), or in none. */
  let escape: "none" | "begun" | "long" = "none";
  /** A line feed after it belongs to the same line end. */
  let wasReturn = false;

  const inEscape = (character: string): boolean => {
    switch (escape) {
      case "none":
        if (character === "\u001B") escape = "begun";
        return escape === "begun";
      case "begun":
        escape = character === "[" || character === "O" ? "long" : "none";
        return true;
      case "long":
        // Its last character is a letter or `~` (ECMA-48 §5.4).
        if (/[@-~]/u.test(character)) escape = "none";
        return true;
    }
  };

  return (character) => {
    const endsReturn = wasReturn && character === "\n";
    wasReturn = character === "\r";
    // Ctrl-C is that wherever it comes, also where an escape sequence was never ended.
    if (character === "\u0003") return { kind: "interrupt" };
    if (endsReturn || inEscape(character)) return more;
    switch (character) {
      case "\r":
      case "\n": {
        const typed = line.join("");
        line = [];
        return { kind: "line", line: typed };
      }
      case "\u0004":
        return line.length === 0 ? { kind: "end" } : more;
      case "\b":
      case "\u007F":
        line.pop();
        return more;
      case "\u0015":
        line = [];
        return more;
      default:
        if (line.length === longestLine) return { kind: "too-long" };
        line.push(character);
        return more;
    }
  };
}
