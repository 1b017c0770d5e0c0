/**
 * What a terminal could act on, or a reader could be fooled by: C0 and C1 controls (escape sequences
 * begin with one of them), DEL, soft hyphen, bidirectional marks, embeddings, overrides and isolates
 * (the "Trojan Source" characters), zero-width and other invisible formatting characters, line and
 * paragraph separators, the byte order mark, interlinear annotations, tag characters, and lone
 * surrogates. Everything in Unicode's `Cf`, `Cc`, `Zl`, `Zp` and `Cs` categories is in it, and the
 * blank letters that take no visible form (Hangul fillers, the combining grapheme joiner, the
 * supplementary variation selectors).
 */
const invisible =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u115f\u1160\u3164\uffa0]|\u034f|\u17b4|\u17b5|[\u{e0100}-\u{e01ef}]/gu;

/** The character's escape as a reader of JavaScript or JSON knows it: `\x1b`, `\u202e`, `\u{e0041}`. */
function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (character === "\n") return "\\n";
  if (character === "\t") return "\\t";
  if (character === "\r") return "\\r";
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, "0")}`;
  return `\\u{${code.toString(16)}}`;
}

/**
 * Foreign text made safe and honest for a terminal: each control, escape, bidirectional, zero-width or
 * otherwise invisible character is replaced by its visible escape. With `lines`, newline and tab stay
 * (and a carriage return directly before a newline goes), for text that is more than a name.
 */
export function escapeForTerminal(text: string, options: { lines?: boolean } = {}): string {
  const source = options.lines ? text.replaceAll("\r\n", "\n") : text;
  return source.replace(invisible, (character) =>
    options.lines && (character === "\n" || character === "\t") ? character : escapeOf(character),
  );
}

/**
 * JSON text for a terminal: the same characters, but as escapes that are still JSON (`\u001b`), so that
 * what is copied from the screen parses to the same value.
 */
export function escapeJsonForTerminal(json: string): string {
  return json.replace(invisible, (character) =>
    character === "\n"
      ? character
      : Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
          .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
          .join(""),
  );
}

/**
 * Foreign text as part of one line of ours: white space runs become one space, and what is longer than
 * `limit` characters ends in an ellipsis. Says nothing about control characters: the edge that prints
 * it escapes them where it prints to a terminal.
 */
export function oneLine(text: string, limit = 300): string {
  // As nearly all names are.
  if (text.length <= limit && !/\s/u.test(text)) return text;
  const line = text.replace(/\s+/gu, " ").trim();
  if (line.length <= limit) return line;
  const start = line.slice(0, limit - 1);
  // The last may be half of a character of two units.
  return `${start.replace(/\p{Cs}$/u, "").trimEnd()}…`;
}

/** A foreign name within a sentence of ours: on one line, bounded, in quotation marks. */
export function quotedName(name: string, limit = 120): string {
  return JSON.stringify(oneLine(name, limit));
}
