import { isJsonObject } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { closest } from "../core/suggest.ts";
import type { z } from "zod";
import { authExample, authenticationTypeOf } from "./auth-example.ts";
import type { ConfigurationProblem, KeyPath } from "./configuration-problem.ts";
import { notYetSupported } from "./configuration-schema.ts";
import { keysKnownAt, valueAt } from "./known-keys.ts";

type Issue = z.core.$ZodIssue;

const notSupported = "not supported yet";

/** Turns what the schema found into problems that say, in words, what to write instead. */
export function schemaProblems(issues: readonly Issue[], value: Json): ConfigurationProblem[] {
  return issues.flatMap((issue) => problemsOf(issue, [], value));
}

function problemsOf(issue: Issue, before: KeyPath, root: Json): ConfigurationProblem[] {
  const path: KeyPath = [
    ...before,
    ...issue.path.map((key) => (typeof key === "symbol" ? String(key) : key)),
  ];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...path, key],
      reason: unknownKeyReason(path, key, root),
    }));
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    // Every union here is one thing, or a list of them. Report for the form that was written; of neither form the
    // second says what both are.
    const [one = [], list = []] = issue.errors;
    const isList = Array.isArray(valueAt(root, path));
    const isNeither = one.every(
      ({ code, path: { length } }) => code === "invalid_type" && length === 0,
    );
    return (isList || isNeither ? list : one).flatMap((inner) => problemsOf(inner, path, root));
  }
  if (issue.code === "invalid_key") {
    return [{ path, reason: `the name ${issue.issues[0]?.message ?? "cannot be used"}` }];
  }
  const value = valueAt(root, path);
  if ((issue.code === "invalid_type" || issue.code === "invalid_union") && value === undefined) {
    const unknown = unknownKeysBeside(path, root);
    const isConsequence = unknown.length > 0;
    const missing = { path, reason: `is missing (${issue.message})`, isConsequence };
    // Where the type is what is missing, nothing else was looked at.
    return issue.code === "invalid_union" ? [...unknown, missing] : [missing];
  }
  return [{ path, reason: issue.message, hint: hintFor(path, value) }];
}

/** A type alone, where an entry belongs. */
function hintFor([first, ...rest]: KeyPath, value: Json | undefined): string | undefined {
  const type = authenticationTypeOf(value);
  const isEntry = first === "auth" && rest.every((key) => typeof key === "number");
  return isEntry && type !== undefined ? `write ${authExample(type)}` : undefined;
}

/** Of the object that something is missing in. */
function unknownKeysBeside(path: KeyPath, root: Json): ConfigurationProblem[] {
  const place = path.slice(0, -1);
  const object = valueAt(root, place);
  if (!isJsonObject(object)) return [];
  const known = keysKnownAt(place, root);
  return Object.keys(object)
    .filter((key) => !known.includes(key))
    .map((key) => ({ path: [...place, key], reason: unknownKeyReason(place, key, root) }));
}

function unknownKeyReason(path: KeyPath, key: string, root: Json): string {
  if (isLater(path, key)) return notSupported;
  const known = keysKnownAt(path, root);
  if (known.length === 0) return "unknown key; this type has no options";
  const near = closest(key, known);
  return near === undefined
    ? `unknown key; known are ${known.join(", ")}`
    : `unknown key; did you mean ${near}?`;
}

function isLater(path: KeyPath, key: string): boolean {
  if (path.length === 0) return notYetSupported.top.has(key);
  return path[0] === "mcpServers" && path.length === 2 && notYetSupported.server.has(key);
}
