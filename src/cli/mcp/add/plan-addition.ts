import { AppError } from "../../../core/errors.ts";
import { faultOfEntry } from "../../../config/entry-problems.ts";
import { isJsonObject } from "../../../core/json.ts";
import type { Json, JsonObject } from "../../../core/json.ts";
import { sameJson } from "../../../core/same-json.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import { shownWord } from "../../shown-word.ts";
import { mergeReach } from "../merge-reach.ts";
import { faultOfReferences } from "../own-references.ts";
import { lacksHere, sentenceOfVariables, variablesSetHere } from "../lacks-here.ts";
import type { Lack, Machine } from "../lacks-here.ts";
import type { PreparedServer } from "./apply-options.ts";

export interface PlannedServer extends PreparedServer {
  outcome: "added" | "replaced" | "unchanged";
  /** What it lacks, and is disabled for. */
  lacks: readonly Lack[];
}

/**
 * What becomes of each server in a file that has these entries. One that is there as it is asked for, with its secrets,
 * is left alone, and nobody is asked for them; with `replace` another one keeps what is not about reaching it.
 * One that lacks something here, and that does not run with it already, is disabled: the configuration would not be
 * loaded with it.
 * @throws AppError `usage` for a name that exists, a name or an entry that the configuration does not take
 */
export function planAddition(
  servers: readonly PreparedServer[],
  entries: ReadonlyMap<string, Json>,
  {
    machine,
    replace,
    options,
  }: {
    machine: Machine;
    replace: boolean;
    /** What was said on the command line itself, and not in what was pasted. */
    options: { tag: readonly string[]; disabled: boolean };
  },
): PlannedServer[] {
  const { kept, environment } = machine;
  return servers.map((found): PlannedServer => {
    const present = entries.get(found.name);
    const { entry: whole, notes } =
      isJsonObject(present) && replace
        ? mergeReach(present, found.entry, options)
        : { entry: found.entry, notes: [] };
    checkEntry(found.name, whole);
    const wanted = found.wanted.map(({ name }) => name);
    const now = { environment, kept: [...kept, ...wanted] };
    const before =
      isJsonObject(present) && present["disabled"] !== true
        ? lacksHere(found.name, present, now)
        : [];
    const lacks = lacksHere(found.name, whole, now).filter(
      ({ reason }) => !before.some((each) => each.reason === reason),
    );
    const entry = lacks.length === 0 ? whole : { ...whole, disabled: true };
    const variables = sentenceOfVariables(variablesSetHere(found.name, whole, environment));
    const server = {
      ...found,
      entry,
      notes: [...found.notes, ...notes, ...(variables === undefined ? [] : [variables])],
      lacks,
    };
    const fault = faultOfReferences(found.name, whole, entries);
    if (fault !== undefined) {
      throw new AppError("usage", `${shownWord(found.name)} cannot be added: ${fault}`, {
        hint: "agent mcp add <name> --env <KEY> keeps a secret of its own for it",
      });
    }
    if (present === undefined) return { ...server, outcome: "added" };
    const isComplete = server.wanted.every(({ name }) => kept.includes(name));
    if (isComplete && !(replace && server.wanted.length > 0) && sameJson(present, entry)) {
      return { ...server, wanted: [], notes: [], lacks: [], outcome: "unchanged" };
    }
    if (replace || sameJson(present, entry)) return { ...server, outcome: "replaced" };
    throw new AppError("usage", `There is a server ${quoteForShell(server.name)} already`, {
      hint: "--replace puts this one in its place; or choose another name",
    });
  });
}

function checkEntry(name: string, entry: JsonObject): void {
  const fault = faultOfEntry(name, entry);
  if (fault === undefined) return;
  throw new AppError("usage", `${shownWord(name)} cannot be added: ${fault.reason}`, {
    hint: fault.hint,
  });
}
