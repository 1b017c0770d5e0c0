import { isJsonObject } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { closedPart, secretPattern } from "../core/secret-reference.ts";
import { isOwnVariable } from "./child-environment.ts";
import type { KeyPath } from "./configuration-problem.ts";

const variable = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/u;

/**
 * What is filled in a text, and nothing else is: `${secret:…}`, then `${NAME}` and `${NAME:-default}`. Secrets first:
 * what is no name there is a mistake. Groups: the secret, the variable, its default.
 */
export const referencePattern = new RegExp(`${secretPattern.source}|${variable.source}`, "gu");

/** Stands for a `$` that must not begin a reference: a variable that nobody sets, with the `$` as its default. */
export const literalDollar = "${ONEDOOR_LITERAL:-$}";

export type Reference = { path: KeyPath } & (
  | { kind: "secret"; name: string }
  | { kind: "variable"; name: string; isOwn: boolean }
);

/**
 * Every reference in the texts of a value, in its keys too, and the way to it. A secret that stands within a variable's
 * default is among them, though it is not filled there.
 */
export function* referencesIn(value: Json, path: KeyPath = []): Generator<Reference> {
  if (typeof value === "string") {
    const text = closedPart(value);
    for (const [, name = ""] of text.matchAll(secretPattern)) yield { kind: "secret", name, path };
    for (const [whole, , name] of text.matchAll(referencePattern)) {
      if (name === undefined) continue;
      yield { kind: "variable", name, isOwn: isOwnVariable(name) && whole !== literalDollar, path };
    }
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* referencesIn(item, [...path, index]);
  } else if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      yield* referencesIn(key, [...path, key]);
      yield* referencesIn(item, [...path, key]);
    }
  }
}

/**
 * Whether a text is handed on as it is written: what is told to people and models is no place for a secret, and may
 * well speak of a `${NAME}`.
 */
export function isPlainText([first, , key, inner]: KeyPath): boolean {
  if (first !== "mcpServers") return false;
  return key === "instructions" || key === "tags" || (key === "tools" && inner === "descriptions");
}
