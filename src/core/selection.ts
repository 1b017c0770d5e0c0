import type { Preset, Presets } from "./configuration.ts";
import { AppError } from "./errors.ts";
import { createRecent } from "./recent.ts";
import type { Recent } from "./recent.ts";
import { closest } from "./suggest.ts";
import { anyOfTags, parseTagFilter } from "./tag-filter.ts";
import { oneLine, quotedName } from "./terminal-text.ts";

/** What somebody asks to be shown, of the servers that are there for it; all that is given must hold. */
export interface SelectionRequest {
  /** The name of a preset of the gateway's configuration. */
  preset?: string | undefined;
  /** One of these tags. */
  tags?: readonly string[] | undefined;
  /** A boolean expression of tags (`core/tag-filter.ts`). */
  filter?: string | undefined;
}

/** Which servers a request is about, of those that its caller sees: it narrows, and grants nothing. */
export interface Selection {
  /** The same for all that choose alike, whatever words they used. */
  readonly key: string;
  /** In the words it was asked for, one line: `preset "dev" and tags web, db`. */
  readonly says: string;
  /** What was asked for, in whichever presets it is looked up. */
  readonly request: SelectionRequest;
  covers(server: SelectableServer): boolean;
}

/** What of a server decides whether it is chosen. */
export interface SelectableServer {
  name: string;
  tags: readonly string[];
}

/** Requests come from clients: how much of one is looked at, and how many are remembered. */
const longestName = 200;
const mostTags = 100;
const longestTags = 2_000;
const mostRemembered = 200;
/** Characters of a request in a sentence. */
const mostSaid = 200;

/** What requests choose, by the presets as they are at the time of each. */
export interface Selections {
  /**
   * Undefined: the request asks for nothing in particular. Equal requests give the same object for as long as the
   * presets are the same one.
   * @throws AppError `usage`: the filter (TagFilterFault), no tag, too long; `not_found`: no such preset, with a
   *   "did you mean" hint
   */
  of(request: SelectionRequest): Selection | undefined;
  /**
   * What a selection means by now; one whose preset is gone chooses nothing from then on. For whatever outlasts a
   * reload of the configuration.
   */
  now(selection: Selection): Selection;
}

/** @param presets as they are now; ones that were loaded again are another object */
export function createSelections(presets: () => Presets): Selections {
  const remembered = new WeakMap<Presets, Recent<string, Selection>>();
  const of = (request: SelectionRequest): Selection | undefined => {
    const { preset, tags, filter } = request;
    if (preset === undefined && tags === undefined && filter === undefined) return undefined;
    checkSizes(request);
    const from = presets();
    const words = JSON.stringify([preset, tags, filter]);
    const recent = remembered.get(from) ?? createRecent(mostRemembered);
    remembered.set(from, recent);
    let selection = recent.get(words);
    if (selection === undefined) {
      selection = select({ preset, tags: tags?.slice(), filter }, from);
      recent.set(words, selection);
    }
    return selection;
  };
  return {
    of,
    now(selection) {
      const { request } = selection;
      if (request.preset === undefined) return selection;
      if (!presets().has(request.preset)) return { ...gone, request };
      return of(request) ?? selection;
    },
  };
}

const gone = {
  key: "nothing",
  says: "a preset that is not there any more",
  covers: () => false,
};

/** A server for which all holds that the preset says. @throws as `parseTagFilter` */
export function presetCovers(preset: Preset): (server: SelectableServer) => boolean {
  const conditions = conditionsOf(preset);
  return (server) => conditions.every(({ holds }) => holds(server));
}

interface Condition {
  key: string;
  readonly holds: (server: SelectableServer) => boolean;
}

function select(request: SelectionRequest, presets: Presets): Selection {
  const { preset, tags, filter } = request;
  const conditions = new Map<string, Condition>();
  const chosen = preset === undefined ? {} : presetNamed(preset, presets);
  for (const condition of [...conditionsOf(chosen), ...conditionsOf({ tags, filter })]) {
    conditions.set(condition.key, condition);
  }
  return {
    key: JSON.stringify([...conditions.keys()].toSorted()),
    says: inWords(request),
    request,
    covers: (server) => {
      for (const { holds } of conditions.values()) if (!holds(server)) return false;
      return true;
    },
  };
}

function conditionsOf({ servers, tags, filter }: Preset): Condition[] {
  const conditions: Condition[] = [];
  if (servers !== undefined) {
    const names = new Set(servers);
    const key = `of ${JSON.stringify([...names].toSorted())}`;
    conditions.push({ key, holds: ({ name }) => names.has(name) });
  }
  const filters = [
    ...(tags === undefined ? [] : [anyOfTags(tags)]),
    ...(filter === undefined ? [] : [parseTagFilter(filter)]),
  ];
  for (const { key, matches } of filters) {
    conditions.push({ key, holds: (server) => matches(server.tags) });
  }
  return conditions;
}

/** @throws AppError `not_found` with a "did you mean" hint */
export function presetNamed<Known>(name: string, presets: ReadonlyMap<string, Known>): Known {
  const preset = presets.get(name);
  if (preset !== undefined) return preset;
  const meant = closest(name, presets.keys());
  throw new AppError("not_found", `Unknown preset ${quotedName(name)}`, {
    hint: meant === undefined ? "agent preset list" : `Did you mean ${quotedName(meant)}?`,
  });
}

/** @throws AppError `usage` */
function checkSizes({ preset, tags }: SelectionRequest): void {
  if (preset === "") throw wrong("The name of a preset must not be empty");
  if (preset !== undefined && preset.length > longestName) {
    throw wrong(`The name of a preset has ${longestName} characters at most`);
  }
  if (tags === undefined) return;
  if (tags.length === 0 || tags.includes("")) throw wrong("A tag must not be empty");
  const characters = tags.reduce((sum, { length }) => sum + length, 0);
  if (tags.length > mostTags || characters > longestTags) {
    throw wrong(`There may be ${mostTags} tags at most, of ${longestTags} characters together`);
  }
}

function wrong(message: string): AppError {
  return new AppError("usage", message, { hint: "agent preset list" });
}

function inWords({ preset, tags, filter }: SelectionRequest): string {
  const parts = [
    ...(preset === undefined ? [] : [`preset ${quotedName(preset)}`]),
    ...(tags === undefined ? [] : [`tags ${tags.join(", ")}`]),
    ...(filter === undefined ? [] : [`filter ${filter}`]),
  ];
  return oneLine(parts.join(" and "), mostSaid);
}
