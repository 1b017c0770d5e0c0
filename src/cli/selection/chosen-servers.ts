import type { FoundProject } from "../../config/find-project.ts";
import { AppError } from "../../core/errors.ts";
import type { SelectionRequest } from "../../core/selection.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { splitTags } from "../../core/split-tags.ts";

// Loaded only where something is chosen.

/** What `selectionOptions` give. */
export interface SelectionOptions {
  preset?: string | undefined;
  /** Each may hold several, with commas between them. */
  tags?: readonly string[] | undefined;
  filter?: string | undefined;
  allServers?: boolean | undefined;
}

/** Which of a gateway's servers a command is about, and who says so. */
export interface ChosenServers {
  request: SelectionRequest;
  /** The command line; the address of the server, which has it in its query; or a project's file. */
  origin: "options" | "url" | { file: string };
}

/**
 * What the options choose, or else what the project says; undefined: all. A wrong one is refused before anybody is
 * asked.
 * @throws AppError `usage`
 */
export async function chosenServers(
  options: SelectionOptions,
  project: FoundProject,
): Promise<ChosenServers | undefined> {
  const { preset, filter } = options;
  const tags = givenNames("--tags", options.tags);
  const isGiven = preset !== undefined || tags !== undefined || filter !== undefined;
  if (options.allServers === true) {
    if (!isGiven) return undefined;
    throw new AppError("usage", "--all-servers is all of them: it goes with no other choice", {
      hint: "Leave out --all-servers, or --preset, --tags and --filter",
    });
  }
  if (filter !== undefined) (await import("./checked-filter.ts")).checkedFilter(filter);
  if (isGiven) return { request: { preset, tags, filter }, origin: "options" };
  const { file } = project;
  const ofProject = project.tags?.length === 0 ? undefined : project.tags;
  const request = { preset: project.preset, tags: ofProject, filter: project.filter };
  const chooses = Object.values(request).some((choice) => choice !== undefined);
  return file === undefined || !chooses ? undefined : { request, origin: { file } };
}

/** The names in an option that may be given several times, and may hold several. @throws AppError `usage` */
export function givenNames(
  option: "--servers" | "--tags",
  given: readonly string[] = [],
): readonly string[] | undefined {
  if (given.length === 0) return undefined;
  const each = splitTags(given);
  if (each.includes("")) {
    throw new AppError("usage", `${option}: a name is missing beside a comma`, {
      hint: `${option} web,db`,
    });
  }
  return [...new Set(each)];
}

/** In words: `preset dev, tags web,db`. */
export function saidChoice({ preset, tags, filter }: SelectionRequest): string {
  return [
    ...(preset === undefined ? [] : [`preset ${quoteForShell(preset)}`]),
    ...(tags === undefined ? [] : [`tags ${quoteForShell(tags.join(","))}`]),
    ...(filter === undefined ? [] : [`filter ${quoteForShell(filter)}`]),
  ].join(", ");
}

/** Where a choice left nothing: what was chosen, and how to see all. */
export function saidNothingLeft({ request, origin }: ChosenServers, command: string): string {
  const all = typeof origin === "object" ? `${command} --all-servers` : command;
  const by = typeof origin === "object" ? ` (${quoteForShell(origin.file)})` : "";
  return `No server is chosen by ${saidChoice(request)}${by}; all of them: ${all}`;
}
