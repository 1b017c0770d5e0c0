import { redacted } from "./credential-forms.ts";
import { isTellingName } from "./hide-literals.ts";
import { isJsonObject } from "./json.ts";
import type { Json, JsonObject } from "./json.ts";
import { isKnownToken, isOpaqueToken } from "./opaque-token.ts";

/**
 * A copy of a server's entry for somebody who decides by it whether the server may be started. Here it is worse to hide
 * what would run than to show a secret: a value is hidden only where it is one word that no shell, and no program that
 * fetches others, can make anything of. For what is only listed, `redactServerEntry` hides much more.
 */
export function previewServerEntry(entry: JsonObject): JsonObject {
  const words = wordsOf(entry);
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]): [string, Json] => {
      if (key === "args" && Array.isArray(value)) return [key, previewArguments(words, value)];
      if ((key === "env" || key === "headers") && isJsonObject(value)) {
        return [key, previewValues(key, value, words)];
      }
      return [key, typeof value === "string" ? previewText(value) : value];
    }),
  );
}

function wordsOf({ command, args }: JsonObject): string[] {
  return [command, ...(Array.isArray(args) ? args : [])].map((word) =>
    typeof word === "string" ? word : "",
  );
}

/** What says which code a program loads, finds or talks to, whatever it is called otherwise. */
const steering =
  /^(?:NODE_.*|LD_.*|DYLD_.*|PATH|PYTHON.*|PERL5.*|RUBY.*|BASH_ENV|ENV|SHELL|IFS|GIT_.*|.*_PROXY|NPM_.*|ONEDOOR_.*|JAVA_.*|JDK_.*|UV_.*|PIP_.*)$/iu;

/** A scheme and what is shown with it (RFC 9110 §11.4), whatever holds them. */
const credential = /^(?:Bearer|Basic) +\S+$/iu;
/**
 * A header that takes its value from a variable, as mcp-remote is told it: nothing of it is started. Its dollar may
 * stand as it does where it is not ours to fill (`literalDollar`).
 */
const header =
  /^[A-Za-z][\w-]*: ?(?:(?:Bearer|Basic|Token) +)?\$\{(?:ONEDOOR_LITERAL:-\$\}\{)?\w+\}$/u;

function previewValues(place: string, values: JsonObject, words: readonly string[]): JsonObject {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]): [string, Json] => {
      if (typeof value !== "string") return [name, value];
      if (place === "env" && steering.test(name)) return [name, value];
      // What the command line itself takes up is a part of it.
      const isUsed = words.some((word) => word.includes(name) && !header.test(word));
      if ((isTellingName(name, value) || credential.test(value)) && !isUsed) {
        const hidden = hiddenToken(value, 1);
        return [name, hidden === value ? previewText(value) : hidden];
      }
      return [name, isUsed ? value : previewText(value)];
    }),
  );
}

const assignment =
  /^((?:-e|--env=|-H|--header=|--?)?([\w.-]{1,200})(?:=|: *)(?:(?:Bearer|Basic|Token) +)?)(.*)$/su;
/** Programs that start or fetch what the first word behind their own options names. */
const runner =
  /^(?:npx|npm|pnpm|pnpx|yarn|bunx?|uvx?|pipx?|deno|docker|podman|nerdctl|env|sudo|nice|xargs|cmd|(?:ba|da|z|k|fi)?sh|pwsh|powershell|node|python[\d.]*|ruby|perl)$/iu;
/** Options of theirs that take no value. */
const bare = /^(?:-y|--yes|-q|--quiet|--rm|-i|-t|-it|--interactive|--|--?[\w-]+=.*)$/su;

function previewArguments(words: readonly string[], values: readonly Json[]): Json[] {
  const name = (words[0] ?? "").replace(/^.*[\\/]/su, "").replace(/\.(?:cmd|exe|ps1|bat)$/iu, "");
  let isPast = !runner.test(name);
  return values.map((value, index) => {
    if (typeof value !== "string") return value;
    const before = index === 0 ? "" : (words[index] ?? "");
    const isOption = value.startsWith("-");
    const shown = previewArgument(value, isOption ? "" : before, isPast);
    // From here on it is the words of what is started.
    const isValue = before.startsWith("-") && !bare.test(before);
    if (!isOption && !isValue && !/^(?:true|false|null|run|exec|dlx|x|tool)$/u.test(value)) {
      isPast = true;
    }
    return shown;
  });
}

function previewArgument(word: string, before: string, isPast: boolean): string {
  const [, kept = "", name = "", value = ""] = assignment.exec(word) ?? [];
  if (kept !== "" && isTellingName(name, value) && !value.startsWith("//")) {
    const hidden = hiddenToken(value, word.startsWith("-") && !isPast ? 16 : 1);
    return hidden === value ? previewText(word) : kept + hidden;
  }
  if (/^--?[A-Za-z][\w-]*$/u.test(before) && isTellingName(before, word)) {
    return isPast && isOpaqueToken(word, 16) ? redacted : word;
  }
  return previewText(word);
}

/** One word without a character that a shell would act on, and no place where something could be fetched. */
function hiddenToken(value: string, atLeast: number): string {
  const [, scheme = "", rest = ""] =
    /^((?:Bearer|Basic|Token|ApiKey) +)?(.*)$/isu.exec(value) ?? [];
  if (/^[\w~+=.,:!#%^*@-]+$/u.test(rest)) {
    return rest.length >= atLeast && !/^[\w.+-]+:\/\//u.test(rest) ? scheme + redacted : value;
  }
  // Base64 has slashes as well.
  const isBase64 = /^[A-Za-z0-9][\w+=/-]{15,}$/u.test(rest);
  const isMixed = /\d/u.test(rest) && /[a-z]/u.test(rest) && /[A-Z]/u.test(rest);
  return isBase64 && isMixed ? scheme + redacted : value;
}

/** Hides, in a text of any form, only what is a token: behind a telling name, as a password of a URL, or by its form. */
function previewText(text: string): string {
  return text
    .replaceAll(/(:\/\/[\w.~%+-]{0,200}:)[\w.~%+!*=-]{1,1000}@/gu, `$1${redacted}@`)
    .replaceAll(
      /(?<![\w.%-])([\w.%-]{1,100})(=["']?)([\w~+=.%-]+)/gu,
      (whole, name: string, between: string, value: string) =>
        isTellingName(name, value) && isOpaqueToken(value, 16)
          ? `${name}${between}${redacted}`
          : whole,
    )
    .replaceAll(/(?<![\w~+.=-])[\w-][\w~+.=-]{15,}/gu, (word) =>
      // No name of a package has capitals.
      /[A-Z]/u.test(word) && isKnownToken(word) ? redacted : word,
    );
}
