import { redacted } from "./credential-forms.ts";
import { isTelling } from "./telling-names.ts";

/**
 * A name and what leads to its value, by what stands before and after it: `"name":` (also where it is escaped in a
 * text in a text); `--name `; `name=`; at the beginning of a line, or of a quoted part, `Name: ` and `name = ` too.
 * Starts only where a name does, and each part is bounded: linear. Names are of Latin letters.
 */
const head = new RegExp(
  String.raw`(?:(?<![\w\u00c0-\u024f\u0300-\u036f.\\-])|(?<=\\[nr]))(?:` +
    String.raw`(\\{0,127}["'])([\w\u00c0-\u024f\u0300-\u036f. -]{2,64})\1\s{0,40}(?::|=>?)\s{0,40}` +
    String.raw`|(--[A-Za-z][\w-]{1,60})( {1,8})(?=[^\s-])` +
    String.raw`|([\w\u00c0-\u024f\u0300-\u036f.-]{2,64})(=|[ \t]{0,20}[:=][ \t]{0,20}))`,
  "g",
);
/** Before a header's name: the line's or the quote's beginning, also where either is escaped. */
const beginning = /(?:^|[\r\n"'`]|\\[nr])[ \t-]{0,20}$/u;
const farthestBack = 24;

const marker = String.raw`\[redacted\]`;
/** Of a member of an object or list that is not quoted. */
const bareMember = new RegExp(String.raw`(?:${marker}|[^\s,"'<>)}\]\\])+`, "uy");
/** Of a form, a query, an option. */
const bareValue = new RegExp(String.raw`(?:${marker}|[^\s&;"'\x60<>\\]|\\(?!["'nrt]))+`, "uy");
const restOfLine = /[^\r\n"'`]+/uy;

/**
 * A text that is no JSON, with the values hidden that follow telling names: in what is left of cut JSON, in forms and
 * queries, header lines, settings. An unfinished value is hidden to its end.
 */
export function hideNamed(text: string): string {
  if (!/[:=]|--/u.test(text)) return text;
  let result = "";
  let done = 0;
  head.lastIndex = 0;
  for (let found = head.exec(text); found !== null; found = head.exec(text)) {
    const [whole, quote, quotedName, option, , plainName, separator] = found;
    const name = quotedName ?? option ?? plainName ?? "";
    const start = found.index + whole.length;
    const isSetting = plainName !== undefined && separator !== "=";
    const before = text.slice(Math.max(0, found.index - farthestBack), found.index);
    if (isSetting && !beginning.test(before)) continue;
    if (!isTelling(name, "")) continue;
    const bare = isSetting ? restOfLine : quote === undefined ? bareValue : bareMember;
    const end = endOfValue(text, start, bare);
    const value = text.slice(start, end);
    if (!isHidden(name, value)) continue;
    result += text.slice(done, start) + hidden(value);
    done = end;
    head.lastIndex = end;
  }
  return done === 0 ? text : result + text.slice(done);
}

function isHidden(name: string, value: string): boolean {
  if (/^(?:null|true|false|undefined|None|\\*["']{2}|)$/u.test(value)) return false;
  return !(/^\d+$/u.test(value) && /tokens/iu.test(name));
}

/** What was quoted stays so, so that the rest of the text can be read as before. */
function hidden(value: string): string {
  const quote = /^\\*["']/u.exec(value)?.[0] ?? "";
  const isClosed = value.length >= 2 * quote.length && value.endsWith(quote);
  return quote + redacted + (isClosed ? quote : "");
}

function endOfValue(text: string, start: number, bare: RegExp): number {
  const quote = matchAt(/\\{0,127}["']/uy, text, start);
  if (quote !== "") return endOfQuoted(text, start + quote.length, quote);
  const isNested = bare === bareMember && /[[{]/u.test(text.charAt(start));
  if (isNested && !text.startsWith(redacted, start)) return endOfNested(text, start);
  return start + matchAt(bare, text, start).length;
}

function matchAt(pattern: RegExp, text: string, start: number): string {
  pattern.lastIndex = start;
  return pattern.exec(text)?.[0] ?? "";
}

/** Behind the next quote that is not escaped any further; the end of the text where there is none. */
function endOfQuoted(text: string, start: number, quote: string): number {
  let at = text.indexOf(quote, start);
  while (at > start && text.charAt(at - 1) === "\\") at = text.indexOf(quote, at + 1);
  return at === -1 ? text.length : at + quote.length;
}

/** Behind the bracket that closes the one at `start`; the end of the text where there is none. */
function endOfNested(text: string, start: number): number {
  let open = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === "{" || character === "[") open += 1;
    if (character === "}" || character === "]") open -= 1;
    if (open === 0) return at + 1;
  }
  return text.length;
}
