import { isJsonObject } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { authenticationTypeOf } from "./auth-example.ts";
import type { ConfigurationProblem } from "./configuration-problem.ts";

interface FilledDocument {
  value: Json;
  /** Variables that are not set. */
  problems: readonly ConfigurationProblem[];
}

/** What counts of a document, and where the entries that are left of `auth` stand in the file. */
interface CountedDocument extends FilledDocument {
  /** By their number here; undefined: all where they are. */
  authPlaces?: readonly number[] | undefined;
}

/**
 * Leaves out of `auth` the ways that `--auth` turns off and that name variables which are not set: what they would be
 * is not known, and nobody gets in by them. All else in the file counts, whatever is on.
 * @param chosen what `--auth` says
 */
export function withoutUnchosenAuth(
  { value, problems }: FilledDocument,
  chosen: string | undefined,
): CountedDocument {
  const auth = isJsonObject(value) ? value["auth"] : undefined;
  if (chosen === undefined || auth === undefined || !isJsonObject(value)) {
    return { value, problems };
  }
  const entries = Array.isArray(auth) ? auth : [auth];
  const place = ({ path: [first, second] }: ConfigurationProblem): number | undefined => {
    if (first !== "auth") return undefined;
    return Array.isArray(auth) && typeof second === "number" ? second : 0;
  };
  const isUnknown = (index: number): boolean => problems.some((each) => place(each) === index);
  const isOff = (entry: Json): boolean => {
    const type = isJsonObject(entry) ? authenticationTypeOf(entry["type"]) : undefined;
    return type !== undefined && type !== chosen;
  };
  const left = entries.flatMap((entry, index) => (isOff(entry) && isUnknown(index) ? [] : [index]));
  if (left.length === entries.length) return { value, problems };

  const { auth: _auth, ...rest } = value;
  return {
    value:
      left.length === 0 ? rest : { ...rest, auth: entries.filter((_, at) => left.includes(at)) },
    problems: problems.flatMap((each) => {
      const index = place(each);
      if (index === undefined) return [each];
      const [first = "auth", , ...below] = each.path;
      return left.includes(index)
        ? [{ ...each, path: [first, left.indexOf(index), ...below] }]
        : [];
    }),
    authPlaces: left,
  };
}

/** A problem of what counts, at its place in the file. */
export function placeInFile(
  problem: ConfigurationProblem,
  { authPlaces }: CountedDocument,
): ConfigurationProblem {
  const [first, second, ...rest] = problem.path;
  if (authPlaces === undefined || first !== "auth" || typeof second !== "number") return problem;
  return { ...problem, path: [first, authPlaces[second] ?? second, ...rest] };
}
