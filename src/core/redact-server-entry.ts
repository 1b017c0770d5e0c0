import { redacted } from "./credential-forms.ts";
import { hideLiterals, hideTelling, isTellingName } from "./hide-literals.ts";
import { isOpaqueToken } from "./opaque-token.ts";
import { isJsonObject, parseJson } from "./json.ts";
import type { Json, JsonObject } from "./json.ts";

const deepest = 32;

/**
 * A copy of an `mcpServers` entry, as it is written in the file, that can be shown: values of `env`, `headers` and of
 * telling keys only as far as they are references (`${NAME}`, `Bearer ${NAME}`), and arguments, addresses and all
 * other texts without what is secret in them by its name or form. What has another shape than an entry should have
 * stays as it is otherwise.
 */
export function redactServerEntry(entry: JsonObject): JsonObject {
  return copyObject(entry, 0, (key, value) => {
    if (key === "env" || key === "headers") return hideAll(value, 0);
    if (key === "args" && Array.isArray(value)) return showArguments(value);
    // Not what opens a door, but how tools are pinned.
    if (key === "pin" && (value === "off" || value === "warn" || value === "block")) return value;
    if (key === "url" && typeof value === "string") return withoutOpaque(showText(value, 0));
    return showUnder(key, value, 0);
  });
}

function copyObject(
  object: JsonObject,
  depth: number,
  copy: (key: string, value: Json) => Json,
): JsonObject {
  if (depth > deepest) return { "…": "more was left out" };
  // Not by assignment: a key `__proto__` must stay a key.
  return Object.fromEntries(
    Object.keys(object).map((key) => [key, copy(key, object[key] ?? null)]),
  );
}

function showUnder(key: string, value: Json, depth: number): Json {
  if (!isTellingName(key, typeof value === "number" ? String(value) : "")) {
    return show(value, depth + 1);
  }
  return hideAll(value, depth + 1);
}

/** Only the references in it; a flag or nothing hides nothing. */
function hideAll(value: Json, depth: number): Json {
  if (typeof value === "string") return hideLiterals(value);
  if (typeof value === "number" || depth > deepest) return redacted;
  if (Array.isArray(value)) return value.map((item) => hideAll(item, depth + 1));
  if (!isJsonObject(value)) return value;
  return copyObject(value, depth, (_key, inner) => hideAll(inner, depth + 1));
}

function show(value: Json, depth: number): Json {
  if (depth > deepest) return "…";
  if (typeof value === "string") return showText(value, depth);
  if (Array.isArray(value)) return value.map((item) => show(item, depth + 1));
  if (!isJsonObject(value)) return value;
  return copyObject(value, depth, (key, inner) => showUnder(key, inner, depth));
}

/** A text may be JSON itself: `--config '{"apiKey": …}'`. What holds no secret keeps its own spelling. */
function showText(text: string, depth: number): string {
  if (!/^\s*[[{]/u.test(text)) return hideTelling(text);
  let parsed: Json;
  try {
    parsed = parseJson(text);
  } catch {
    return hideTelling(text);
  }
  const shown = JSON.stringify(show(parsed, depth + 1));
  return shown === JSON.stringify(parsed) ? text : shown;
}

/** Long enough to be no name, with letters and digits. */
const shortestOpaque = 24;

function withoutOpaque(text: string): string {
  return text
    .replaceAll(/(?<=[?&][\w.-]{1,100}=)[\w~+.%-]{8,}(?=[&#]|$)/gu, (value) =>
      isOpaqueToken(value, 8) ? redacted : value,
    )
    .replaceAll(/(?<![\w-])[\w-]{24,}(?![\w-])/gu, (word) =>
      isOpaqueToken(word, shortestOpaque) ? redacted : word,
    );
}

const environmentOption = /^(?:-e|--env)$/u;
const headerOption = /^(?:-H|--header)$/u;
/** `--token=x`, `TOKEN=x`, `--env=TOKEN=x`, `-eTOKEN=x`, `Authorization: x`, `--header=X-Key: x`: name and value. */
const assignment = /^((?:-e|--env=|-H|--header=|--?)?([\w.-]{1,200})(?:=|: *))(.*)$/su;

function showArguments(values: readonly Json[]): Json[] {
  let before = "";
  return values.map((value) => {
    const option = before;
    before = typeof value === "string" ? value : "";
    return typeof value === "string" ? showArgument(value, option) : show(value, 1);
  });
}

function showArgument(text: string, before: string): string {
  const [, kept = "", name = "", value = ""] = assignment.exec(text) ?? [];
  const given = environmentOption.test(before) || headerOption.test(before);
  const inOne = /^(?:-e[A-Za-z_]\w*=|--env=|-H|--header=)/u.test(text);
  // What follows an option that takes variables or headers is hidden as `env` and `headers` are.
  if (kept !== "" && !value.startsWith("//")) {
    if (given || inOne || isTellingName(name, value)) return kept + hideLiterals(value);
  }
  const isOption = text.startsWith("-");
  if (headerOption.test(before) && !isOption) return hideLiterals(text);
  if (/^--?[A-Za-z][\w-]*$/u.test(before) && !isOption && isTellingName(before, text)) {
    return hideLiterals(text);
  }
  if (/^(?:-u|--user)$/u.test(before) && text.includes(":")) {
    return `${text.slice(0, text.indexOf(":") + 1)}${hideLiterals(text.slice(text.indexOf(":") + 1))}`;
  }
  if (/^-[pk]$/u.test(before) && !isOption && isOpaqueToken(text, 8)) return redacted;
  return withoutOpaque(showText(text, 1));
}
