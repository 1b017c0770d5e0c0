import { redacted, replacePatterns } from "./credential-forms.ts";
import { isTellingKey } from "./telling-names.ts";

/** `${NAME}`, `${NAME:-default}` and `${secret:NAME}`, as the configuration fills them in. */
const reference =
  /\$\{(secret:[\w.-]+(?:\/[\w.-]+)*(?=\})|[A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/gu;
// While a text is looked at, a reference is one character of these: of the second kind, its default is hidden.
const open = "\u{e000}";
const guarded = "\u{e001}";
const marks = /[\u{e000}\u{e001}]/gu;
const scheme = /^(?:Bearer|Basic|Token|ApiKey|Digest) +/iu;
/** Names of query values and options that hold secrets where keys of objects of the same name hardly do. */
const alsoTelling = /key$|^auth$|^sig$|signature$|^jwt$|^sas$|^code$|^session(?:id)?$/u;

/**
 * A text of which nothing may be shown but the references in it, and the scheme before a credential:
 * `Bearer ${NAME}` stays, `Bearer abc` becomes `Bearer [redacted]`. An empty text shows that there was nothing.
 */
export function hideLiterals(text: string): string {
  return withMarks(text, hideMarked);
}

/**
 * A text with what is secret in it hidden by its form (`replacePatterns`) and by the names before it: values of URL
 * queries, `name=value`, `--name value`; and who signs in by a URL (RFC 3986 §3.2.1).
 */
export function hideTelling(text: string): string {
  return withMarks(text, (marked) => {
    const hidden = marked
      .replaceAll(/(:\/\/)([^\s/?#]{1,1000})@/gu, (_whole, before: string, who: string) => {
        return `${before}${hideMarked(who)}@`;
      })
      .replaceAll(
        /(?<![\w.%-])([\w.%-]{1,100})=("[^"]*"|'[^']*'|["']?[^\s&#;"']+)/gu,
        (whole, name: string, value: string) =>
          isTellingName(name, value) ? `${name}=${hideMarked(value)}` : whole,
      )
      .replaceAll(
        /(?<![\w-])(--?[A-Za-z][\w-]{0,100})( +)(?!-)("[^"]*"|'[^']*'|["']?[^\s"']+)/gu,
        (whole, name: string, space: string, value: string) =>
          isTellingName(name, value) ? `${name}${space}${hideMarked(value)}` : whole,
      );
    // A pattern must not take a reference with it.
    return hidden
      .split(marks)
      .map(replacePatterns)
      .reduce(joinedBy(hidden.match(marks) ?? []));
  });
}

/** Whether a value under this name (of an option, a variable, a header, a query) is to be hidden. */
export function isTellingName(name: string, value = ""): boolean {
  const plain = decoded(name);
  // `--max-tokens=100` counts tokens.
  if (/tokens/iu.test(plain) && /^\d+$/u.test(value)) return false;
  return isTellingKey(plain) || alsoTelling.test(plain.toLowerCase().replace(/[^a-z0-9]/gu, ""));
}

function withMarks(text: string, hide: (marked: string) => string): string {
  const found: [name: string, fallback: string | undefined][] = [];
  const marked = text
    .replaceAll(marks, "\u{fffd}")
    .replaceAll(reference, (_whole, name: string, fallback: string | undefined) => {
      found.push([name, fallback]);
      return open;
    });
  let next = 0;
  return hide(marked).replaceAll(marks, (mark) => {
    const [name, fallback] = found[next++] ?? ["", undefined];
    if (fallback === undefined) return `\${${name}}`;
    const shown = mark === guarded ? hideMarked(fallback) : hideTelling(fallback);
    return `\${${name}:-${shown}}`;
  });
}

function hideMarked(text: string): string {
  const kept = scheme.exec(text)?.[0] ?? "";
  return (
    kept +
    text
      .slice(kept.length)
      .replaceAll(/[^\u{e000}\u{e001}]+/gu, redacted)
      .replaceAll(open, guarded)
  );
}

function joinedBy(between: readonly string[]) {
  return (before: string, piece: string, index: number): string =>
    `${before}${between[index - 1] ?? ""}${piece}`;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
