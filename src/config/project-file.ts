import { isJsonObject } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { parseTagFilter, TagFilterFault } from "../core/tag-filter.ts";
import { hasHidden } from "../core/visible-name.ts";
import { configurationError } from "./configuration-problem.ts";
import type { ConfigurationError, ConfigurationProblem } from "./configuration-problem.ts";
import { parseJsonDocument } from "./json-document.ts";
import { readRegularFile } from "./read-regular-file.ts";

/** What a folder says of the work that is done in it. It comes with whatever was checked out: it decides nothing. */
export interface ProjectFile {
  project?: string;
  preset?: string;
  tags?: readonly string[];
  /** A boolean expression of tags (`core/tag-filter.ts`), which can be read. */
  filter?: string;
}

const largestBytes = 64 * 1024;
const longestName = 100;
const mostTags = 100;

/** What each key may be; others there are none. */
const keys = {
  project: { isGood: isName, must: `must be a text of 1 to ${longestName} visible characters` },
  preset: { isGood: isName, must: `must be a text of 1 to ${longestName} visible characters` },
  tags: {
    isGood: isTags,
    must: `must be a list of at most ${mostTags} texts of 1 to ${longestName} visible characters`,
  },
  filter: { isGood: isFilter, must: "must be a boolean expression of tags" },
} as const;

/**
 * Reads a `.onedoorrc`: JSON with comments that names a project, a preset, tags and a filter of tags, and nothing else.
 * @throws ConfigurationError (`config_invalid`) for anything else, naming file, line and key
 */
export async function readProjectFile(file: string): Promise<ProjectFile> {
  const parsed = parseJsonDocument(await readText(file));
  if (parsed.kind === "broken") throw configurationError(file, parsed.problems);
  const { document } = parsed;
  const { value } = document;
  if (!isJsonObject(value)) throw wrong(file, "must be a JSON object", document.lineOf([]));
  const problems: ConfigurationProblem[] = Object.entries(value).flatMap(([key, entry]) => {
    const rule = isKnown(key) ? keys[key] : undefined;
    if (rule?.isGood(entry) === true) return [];
    const hint = rule === undefined ? `It may name ${Object.keys(keys).join(", ")}` : undefined;
    const reason = rule?.must ?? "is no key of a project's file";
    return [
      {
        path: [key],
        reason: (key === "filter" && faultOfFilter(entry)) || reason,
        hint,
        line: document.lineOf([key]),
      },
    ];
  });
  const [first, ...more] = problems;
  if (first !== undefined) throw configurationError(file, [first, ...more]);
  const { project, preset, tags, filter } = value;
  return {
    ...(isName(project) && { project }),
    ...(isName(preset) && { preset }),
    ...(isTags(tags) && { tags }),
    ...(isFilter(filter) && { filter }),
  };
}

function isKnown(key: string): key is keyof typeof keys {
  return Object.hasOwn(keys, key);
}

function isName(value: Json | undefined): value is string {
  return (
    typeof value === "string" &&
    value.trim() !== "" &&
    value.length <= longestName &&
    !hasHidden(value)
  );
}

function isTags(value: Json | undefined): value is string[] {
  return Array.isArray(value) && value.length <= mostTags && value.every(isName);
}

function isFilter(value: Json | undefined): value is string {
  return typeof value === "string" && faultOfFilter(value) === undefined;
}

/** Undefined for one that can be read, and for what is no text. */
function faultOfFilter(value: Json): string | undefined {
  if (typeof value !== "string") return undefined;
  try {
    parseTagFilter(value);
    return undefined;
  } catch (error) {
    if (!(error instanceof TagFilterFault)) throw error;
    return `is wrong at character ${error.column}: ${error.reason}`;
  }
}

async function readText(file: string): Promise<string> {
  const found = await readRegularFile(file, { mostBytes: largestBytes });
  switch (found.kind) {
    case "read":
      return found.text.replace(/^\u{feff}/u, "");
    case "absent":
    case "unreadable":
      throw wrong(file, `cannot be read (${found.code})`);
    case "irregular":
      throw wrong(file, "is not a regular file");
    case "too-large":
      throw wrong(file, "is larger than 64 KiB");
    case "no-text":
      throw wrong(file, "is not UTF-8 text");
  }
}

function wrong(file: string, reason: string, line?: number): ConfigurationError {
  return configurationError(file, [{ path: [], reason, line }]);
}
