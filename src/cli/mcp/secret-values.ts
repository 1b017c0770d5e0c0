import { redacted, replacePatterns } from "../../core/credential-forms.ts";
import { isTellingName } from "../../core/hide-literals.ts";
import type { JsonObject } from "../../core/json.ts";
import { redactServerEntry } from "../../core/redact-server-entry.ts";

const scheme = /^(?:Bearer|Basic|Token|ApiKey) +/iu;
const longestPlaceholder = 200;
const whatFor = "(?:keys?|tokens?|secrets?|passwords?|passwd|pat|credentials?|value)";

/** What READMEs write where the reader's own value belongs, each as a whole. In doubt it is a secret. */
const placeholders = [
  /^<[^<>]{1,100}>$/u,
  /^(?:\.{3}|\u{2026}|\*{3,}|x{3,}|-{3,}|todo|tbd|placeholder)$/iu,
  // `YOUR_API_KEY`, `your token here`, `sk-your-key`, `[your key]`.
  /^[[{(]*(?:[a-z]{2,5}[-_]){0,2}your[-_ ][a-z _-]{1,100}[\]})]*$/iu,
  new RegExp(String.raw`^your[a-z]{0,20}${whatFor}$`, "iu"),
  // `MY_API_KEY`, which is no value but the name of one.
  new RegExp(String.raw`^MY(?:_[A-Z]+){0,5}_${whatFor.toUpperCase()}$`, "u"),
  /^(?:change|replace)[-_ ]?(?:me|this|it)$/iu,
  /^(?:insert|enter|add|put|paste|replace|change)[-_ ](?:(?:in|with|this|the|my|an?)[-_ ])?(?:your|api|access|actual|real|token|key|secret|password|value)(?:[-_ ][a-z _-]{1,100})?$/iu,
  // `sk-xxxx`, `ghp_...`.
  /^(?:[a-z]{2,6}[-_]){1,3}(?:\.{3}|\u{2026}|x{3,}|\*{3,})$/iu,
  new RegExp(
    String.raw`^(?:[a-z]{1,20}[-_ ]){0,5}${whatFor}[-_ ](?:(?:goes|comes)[-_ ])?here$`,
    "iu",
  ),
];

/** Folders of nobody. */
const folder =
  /(?:^|[/\\])path[/\\]to[/\\]|^\/Users\/(?:username|yourname|your-name)(?:\/|$)|^[A-Z]:\\+Users\\+(?:username|yourname)/iu;
/** Values that switch something, whatever it is called. */
const switches = /^(?:true|false|yes|no|on|off|none|null|0|1)$/iu;

/** The word before a credential that a value begins with: `Bearer ` of `Bearer <token>`. */
export function schemeOf(value: string): string {
  return scheme.exec(value.trim())?.[0] ?? "";
}

/** Whether a value only stands for one that the reader is to put in: `<your key>`, `YOUR_API_KEY`, `Bearer xxx`. */
export function isPlaceholder(value: string): boolean {
  const text = value.trim().replace(scheme, "");
  return text.length <= longestPlaceholder && placeholders.some((whole) => whole.test(text));
}

/** The same of an argument, which may be a folder as well. */
export function isPlaceholderArgument(value: string): boolean {
  return isPlaceholder(value.replace(/^--?[\w-]+=/u, "")) || folder.test(value);
}

/** Whether the value of a variable or header is a secret, by its name or its form; none that refers to one is. */
export function looksSecret(key: string, value: string): boolean {
  const text = value.trim().replace(scheme, "");
  if (text === "" || value.includes("${") || switches.test(text) || isPlaceholder(value)) {
    return false;
  }
  return isTellingName(key, text) || replacePatterns(value) !== value;
}

/** Whether something in the command line or the URL of an entry looks like a secret. */
export function hasSecretInLine({ command, args, url }: JsonObject): boolean {
  const words = [command ?? "", ...(Array.isArray(args) ? args : []), url ?? ""].filter(
    (word) => typeof word === "string" && !isPlaceholderArgument(word),
  );
  return JSON.stringify(redactServerEntry({ args: words })).includes(redacted);
}

export const secretInLine =
  "its command line or URL holds what looks like a secret, and stands in the file in the clear";
