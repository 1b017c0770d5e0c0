import { isJsonObject } from "../../../core/json.ts";
import type { Json, JsonObject } from "../../../core/json.ts";
import {
  isSecretOf,
  secretReference,
  secretsIn,
  withSecretsOf,
} from "../../../core/secret-reference.ts";
import { sameJson } from "../../../core/same-json.ts";
import { freeName } from "../../../hosts/fit-name.ts";
import type { FoundServer, SkippedServer } from "../../../hosts/host.ts";
import type { NamedFile } from "../../../hosts/host-files.ts";
import { lacksHere, sentenceOfVariables, variablesSetHere } from "../lacks-here.ts";
import type { Lack } from "../lacks-here.ts";
import { hasSecretInLine, secretInLine } from "../secret-values.ts";
import { mergeReach } from "../merge-reach.ts";
import { faultOfReferences } from "../own-references.ts";
import { isOwnGateway } from "./own-gateway.ts";
import { tooLongToShow } from "./shown-plan.ts";

/** What one file was found to hold. */
export interface ReadSource {
  file: NamedFile;
  servers: readonly FoundServer[];
  skipped: readonly SkippedServer[];
}

/** A server that could be taken over. */
export interface ImportCandidate {
  /** What it would be called. */
  name: string;
  /** What it is called where it was found. */
  foundAs: string;
  entry: JsonObject;
  notes: readonly string[];
  from: readonly NamedFile[];
  /** What it lacks here, and is disabled for. */
  lacks: readonly Lack[];
  /** Whether it would stand in place of another entry. */
  replaces: boolean;
}

export interface SkippedCandidate {
  name: string;
  reason: string;
  from: NamedFile;
}

export interface ImportPlan {
  candidates: readonly ImportCandidate[];
  skipped: readonly SkippedCandidate[];
}

export interface PlanContext {
  existing: ReadonlyMap<string, Json>;
  /** Whether an entry of the same name is replaced; it is kept otherwise, and the other gets a name of its own. */
  replace: boolean;
  environment: Readonly<Record<string, string | undefined>>;
  /** Of the gateway that runs. */
  gatewayUrl: string | undefined;
}

/** What of all that was found would be taken over, and as what: each server once, none that is there already. */
export function planImport(sources: readonly ReadSource[], context: PlanContext): ImportPlan {
  const { existing, replace } = context;
  const candidates: ImportCandidate[] = [];
  const skipped: SkippedCandidate[] = [];
  for (const { file, servers, skipped: unread } of sources) {
    skipped.push(...unread.map(({ name, reason }) => ({ name, reason, from: file })));
    for (const { name, entry, notes } of servers) {
      const reason = whyNot(name, entry, context);
      if (reason !== undefined) {
        skipped.push({ name, reason, from: file });
        continue;
      }
      const twin = candidates.findIndex(
        (other) =>
          other.foundAs.toLowerCase() === name.toLowerCase() &&
          isSame(withSecretsOf(other.entry, other.name, name), entry, name),
      );
      const same = candidates[twin];
      if (same !== undefined) {
        candidates[twin] = { ...same, from: [...same.from, file] };
        continue;
      }
      const isTaken = (other: string): boolean =>
        candidates.some((each) => each.name === other) || (!replace && existing.has(other));
      const own = freeName(
        name,
        (other) => isTaken(other) || (other !== name && existing.has(other)),
      );
      const renamed = withSecretsOf(entry, name, own);
      const present = existing.get(own);
      const placed = isJsonObject(present)
        ? mergeReach(present, renamed)
        : { entry: renamed, notes: [] };
      const fault =
        faultOfReferences(own, placed.entry, existing) ??
        sharedSecret(placed.entry, candidates) ??
        (tooLongToShow(placed.entry) ? "it is too long to be shown whole" : undefined);
      if (fault !== undefined) {
        skipped.push({ name, reason: fault, from: file });
        continue;
      }
      candidates.push({
        ...complete(own, placed.entry, [...notes, ...placed.notes], context),
        foundAs: name,
        from: [file],
        replaces: existing.has(own),
      });
    }
  }
  return { candidates, skipped };
}

/** Two that are taken over together have no secret in common. */
function sharedSecret(
  entry: JsonObject,
  candidates: readonly ImportCandidate[],
): string | undefined {
  const own = secretsIn(entry);
  for (const other of candidates) {
    const shared = secretsIn(other.entry).find((secret) => own.includes(secret));
    if (shared !== undefined) return `${other.name} has the secret ${shared} already`;
  }
  return undefined;
}

/** Disabled where a variable is not set: the configuration would not be loaded with it. Secrets can still be asked for. */
function complete(
  name: string,
  entry: JsonObject,
  notes: readonly string[],
  { environment }: PlanContext,
): Pick<ImportCandidate, "name" | "entry" | "notes" | "lacks"> {
  const lacks = lacksHere(name, entry, { environment, kept: secretsIn(entry) });
  const variables = sentenceOfVariables(variablesSetHere(name, entry, environment));
  return {
    name,
    entry: lacks.length === 0 ? entry : { ...entry, disabled: true },
    notes: [
      ...notes,
      ...(variables === undefined ? [] : [variables]),
      ...(hasSecretInLine(entry) ? [secretInLine] : []),
    ],
    lacks,
  };
}

function whyNot(name: string, entry: JsonObject, context: PlanContext): string | undefined {
  if (isOwnGateway(entry, context.gatewayUrl)) return "it is the gateway itself";
  for (const [other, written] of context.existing) {
    if (!isNameOf(other, name) || !isJsonObject(written)) continue;
    if (isSame(withSecretsOf(entry, name, other), written, other)) {
      return other === name ? "it is there already" : `it is there already, as ${other}`;
    }
  }
  return undefined;
}

/** `github`, or what an earlier import made of it: `github-2`. */
function isNameOf(other: string, name: string): boolean {
  return (
    other === name || (other.startsWith(`${name}-`) && /^-\d+$/u.test(other.slice(name.length)))
  );
}

/** Whether two entries are one server; whether it is disabled here or there, and where its secrets are kept, is not looked at. */
function isSame(one: JsonObject, other: JsonObject, name: string): boolean {
  return sameJson(comparable(one, other, name), comparable(other, one, name));
}

function comparable(entry: JsonObject, other: Json | undefined, name: string): JsonObject {
  const { disabled: _disabled, ...rest } = entry;
  return Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [
      key,
      withoutOwnSecrets(value, isJsonObject(other) ? other[key] : undefined, name),
    ]),
  );
}

/** A text in whose place the other entry has a reference to a secret of this server becomes that reference. */
function withoutOwnSecrets(value: Json, other: Json | undefined, name: string): Json {
  if (typeof value === "string") {
    return typeof other === "string" && isKeptAs(other, value, name) ? other : value;
  }
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      withoutOwnSecrets(inner, isJsonObject(other) ? other[key] : undefined, name),
    ]),
  );
}

function isKeptAs(reference: string, text: string, name: string): boolean {
  const own = secretsIn(reference).find((secret) => isSecretOf(secret, name));
  if (own === undefined) return false;
  const [before = "", after = ""] = reference.split(secretReference(own));
  return (
    text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after)
  );
}
