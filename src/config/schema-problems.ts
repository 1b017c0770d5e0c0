import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { closest } from "../core/suggest.ts";
import type { z } from "zod";
import type { ConfigurationProblem, KeyPath } from "./configuration-problem.ts";
import {
  authTypesNotYetSupported,
  configurationSchema,
  knownKeys,
  notYetSupported,
} from "./configuration-schema.ts";

type Issue = z.core.$ZodIssue;

const notSupported = "not supported yet";

/** Turns what the schema found into problems that say, in words, what to write instead. */
export function schemaProblems(issues: readonly Issue[], value: Json): ConfigurationProblem[] {
  return issues.flatMap((issue) => problemsOf(issue, [], value));
}

/**
 * What is wrong with the shape of one entry of `mcpServers` as it is written: a text with a `${NAME}` in it may become
 * anything.
 */
export function entryProblems(name: string, entry: JsonObject): ConfigurationProblem[] {
  const root = { mcpServers: { [name]: entry } };
  const result = configurationSchema.safeParse(root);
  if (result.success) return [];
  return schemaProblems(result.error.issues, root).filter(({ path }) => {
    const value = valueAt(root, path);
    return typeof value !== "string" || !value.includes("${");
  });
}

function problemsOf(issue: Issue, before: KeyPath, root: Json): ConfigurationProblem[] {
  const path: KeyPath = [
    ...before,
    ...issue.path.map((key) => (typeof key === "symbol" ? String(key) : key)),
  ];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...path, key], reason: unknownKeyReason(path, key) }));
  }
  if (issue.code === "invalid_union") {
    // `auth` is the only union: one entry, or a list of them. Report for the form that was written.
    const branch = Array.isArray(valueAt(root, path)) ? 1 : 0;
    const nested = issue.errors[branch] ?? [];
    return nested.flatMap((inner) => problemsOf(inner, path, root));
  }
  if (issue.code === "invalid_key") {
    return [{ path, reason: `the name ${issue.issues[0]?.message ?? "cannot be used"}` }];
  }
  if (isLaterType(path, valueAt(root, path))) return [{ path, reason: notSupported }];
  const missing = issue.code === "invalid_type" && valueAt(root, path) === undefined;
  return [{ path, reason: missing ? `is missing (${issue.message})` : issue.message }];
}

/** Which set of keys belongs at a path; absent where any name is a key (`mcpServers`, `env`). */
function placeOf(path: KeyPath): keyof typeof knownKeys | undefined {
  const [first, , third] = path;
  if (first === undefined) return "top";
  if (first === "mcpServers" && path.length === 2) return "server";
  if (first === "mcpServers" && path.length === 3 && third === "access") return "access";
  if (first === "rateLimit") return path.length === 1 ? "rateLimit" : "limitsOfRoles";
  if (first === "audit") return "audit";
  if (first !== "auth") return undefined;
  if (path.includes("tokens")) return "staticToken";
  return path.at(-1) === "options" ? "tokenOptions" : "auth";
}

function unknownKeyReason(path: KeyPath, key: string): string {
  const place = placeOf(path);
  if ((place === "top" || place === "server") && notYetSupported[place].has(key)) {
    return notSupported;
  }
  const known = knownKeys[place ?? "top"];
  const near = closest(key, known);
  return near === undefined
    ? `unknown key; known are ${known.join(", ")}`
    : `unknown key; did you mean ${near}?`;
}

function isLaterType(path: KeyPath, value: Json | undefined): boolean {
  if (path[0] !== "auth" || path.at(-1) !== "type") return false;
  return typeof value === "string" && authTypesNotYetSupported.has(value);
}

function valueAt(root: Json, path: KeyPath): Json | undefined {
  let current: Json | undefined = root;
  for (const key of path) {
    if (Array.isArray(current) && typeof key === "number") current = current[key];
    else if (isJsonObject(current) && typeof key === "string" && Object.hasOwn(current, key)) {
      current = current[key];
    } else return undefined;
  }
  return current;
}
