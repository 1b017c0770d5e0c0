import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { sameJson } from "../core/same-json.ts";
import { largestConfigurationBytes, readConfigurationFile } from "./configuration-file.ts";
import { configurationError } from "./configuration-problem.ts";
import type { ConfigurationProblem } from "./configuration-problem.ts";
import { withoutValueAt, withValueAt } from "./edit-json.ts";
import { parseJsonDocument } from "./json-document.ts";
import { fileProblems, problemKey } from "./file-problems.ts";
import { ownStatus, refusal } from "./own-status.ts";
import { replaceFile } from "./replace-file.ts";
import { textFingerprint } from "./text-fingerprint.ts";

const newFile = "{}\n";

/** One change: what is to stand at a place, or, undefined, that nothing is to stand there. */
export interface ConfigurationEdit {
  /** The keys that lead there; the objects around it are made where they are missing. */
  path: readonly [string, ...string[]];
  value: Json | undefined;
}

/** The configuration file as it was read, to be changed. */
export interface OpenConfiguration {
  readonly file: string;
  /** Whether there is one. */
  readonly exists: boolean;
  /** All it says, with its `${NAME}`s; empty where there is none. */
  readonly value: JsonObject;
  /** `textFingerprint` of its text; undefined where there is none. */
  readonly fingerprint: string | undefined;
  /**
   * Makes all of the changes, in this order, or none. All else stays as it is written: comments, order, indentation,
   * line ends; of a value that is replaced what is not changed. A file that is missing is made, for its owner alone
   * (0600, in a 0700 folder); one that is there keeps its mode and owner. What changes nothing does not touch the file.
   *
   * It may be called again: `value` says what stands there then.
   * @throws AppError `config_invalid`, and nothing is changed: somebody else saved the file since it was read; it is a
   *   link, which is never written through; it would not be loaded, for a reason that stands in it (a change that only
   *   takes away such reasons is made); the system refuses
   */
  save(edits: readonly ConfigurationEdit[]): Promise<void>;
}

/**
 * Reads the configuration file so that it can be edited. One that is missing can be, too.
 * @throws AppError `config_invalid`: the file is one that would not be read at a start, or is no JSON object
 */
export async function openConfigurationFile(
  file: string,
  read: typeof readConfigurationFile = readConfigurationFile,
): Promise<OpenConfiguration> {
  let text = await textOf(file, read);
  let value = text === undefined ? {} : parsed(file, text);
  return {
    file,
    get exists() {
      return text !== undefined;
    },
    get value() {
      return value;
    },
    get fingerprint() {
      return text === undefined ? undefined : textFingerprint(text);
    },
    async save(edits) {
      const found = await ownStatus(file);
      const before = text;
      const edited = editedText(file, before ?? newFile, edits);
      if (edited.text === (before ?? newFile)) return;
      checkLoadable(file, before ?? newFile, edited.value);
      await replaceFile(file, edited.text, {
        found,
        folderMode: 0o700,
        fileMode: 0o600,
        async look() {
          await ownStatus(file);
          if ((await textOf(file, read)) === before) return;
          throw refusal(file, "was changed meanwhile, so nothing was written", "try again");
        },
        refuse: (reason, hint) => refusal(file, reason, hint),
      });
      ({ text, value } = edited);
    },
  };
}

/**
 * Puts an entry into `mcpServers` of the configuration file, in place of the one of this name or at the end.
 * @param entry as it is to stand there, with its `${NAME}`s
 * @returns the fingerprint of the file's text then
 * @throws AppError `config_invalid`, and nothing is changed (`openConfigurationFile`, `save`)
 */
export async function writeServerEntry(
  file: string,
  name: string,
  entry: JsonObject,
  read: typeof readConfigurationFile = readConfigurationFile,
): Promise<string | undefined> {
  const opened = await openConfigurationFile(file, read);
  await opened.save([{ path: ["mcpServers", name], value: entry }]);
  return opened.fingerprint;
}

async function textOf(
  file: string,
  read: typeof readConfigurationFile,
): Promise<string | undefined> {
  const content = await read(file);
  if (content.kind === "refused") throw configurationError(file, [content.problem]);
  return content.kind === "absent" ? undefined : content.text;
}

/** The text with all changes, and what it says then. */
function editedText(
  file: string,
  text: string,
  edits: readonly ConfigurationEdit[],
): { text: string; value: JsonObject } {
  const mark = text.startsWith("\u{feff}") ? "\u{feff}" : "";
  let value = parsed(file, text);
  let edited = text.slice(mark.length);
  for (const { path, value: wanted } of edits) {
    const place = path.join(".");
    value = withEdit(file, value, { path, value: wanted });
    edited =
      wanted === undefined ? withoutValueAt(edited, path) : withValueAt(edited, path, wanted);
    // Whatever the text looked like: nothing is written but what was to be.
    if (!sameJson(parsed(file, edited), value)) {
      throw refusal(file, `cannot be edited at ${place}`, "change it by hand");
    }
  }
  if (Buffer.byteLength(mark + edited) > largestConfigurationBytes) {
    throw refusal(file, "would be larger than 1 MiB");
  }
  return { text: mark + edited, value };
}

/** The same change, made to what the text says. */
function withEdit(
  file: string,
  root: JsonObject,
  { path, value }: ConfigurationEdit,
  depth = 0,
): JsonObject {
  const [key, ...rest] = path.slice(depth);
  if (key === undefined) return root;
  const present = Object.hasOwn(root, key) ? root[key] : undefined;
  if (rest.length > 0) {
    if (present === undefined && value === undefined) return root;
    if (present !== undefined && !isJsonObject(present)) {
      const whole = path.slice(0, depth + 1);
      const of = depth === 0 ? (ofWhat[key] ?? "") : "";
      throw configurationError(file, [{ path: whole, reason: `expected an object${of}` }]);
    }
    return withOwn(root, key, withEdit(file, present ?? {}, { path, value }, depth + 1));
  }
  return value === undefined
    ? Object.fromEntries(Object.entries(root).filter(([name]) => name !== key))
    : withOwn(root, key, value);
}

const ofWhat: Readonly<Record<string, string>> = {
  mcpServers: " of servers",
  presets: " of presets",
};

/** Not by assignment: a key `__proto__` must stay a key. */
function withOwn(object: JsonObject, key: string, value: Json): JsonObject {
  return Object.fromEntries([...Object.entries(object), [key, value]]);
}

/**
 * Nobody is told that something was changed in a file that is then not loaded. What was wrong before does not keep
 * anybody from taking it out, one thing after the other.
 */
function checkLoadable(file: string, before: string, value: JsonObject): void {
  const problems = fileProblems(value);
  if (problems.length === 0) return;
  const document = parseJsonDocument(before);
  const was = document.kind === "broken" ? undefined : document.document;
  const old = new Set(
    isJsonObject(was?.value) ? fileProblems(was.value).map((problem) => problemKey(problem)) : [],
  );
  const isOld = (problem: ConfigurationProblem): boolean => old.has(problemKey(problem));
  if (problems.length < old.size && problems.every((problem) => isOld(problem))) return;
  const fresh = problems.filter((problem) => !isOld(problem));
  // What was just asked for comes first, and has no line yet.
  const [first, ...more] =
    fresh.length > 0
      ? fresh
      : problems.map(
          ({ hint = "nothing was changed; mend this first", ...problem }): ConfigurationProblem => {
            const line = was?.lineOf(problem.path);
            return Object.assign(problem, { hint, line });
          },
        );
  if (first !== undefined) throw configurationError(file, [first, ...more]);
}

function parsed(file: string, text: string): JsonObject {
  const result = parseJsonDocument(text);
  if (result.kind === "broken") throw configurationError(file, result.problems);
  const value: Json = result.document.value;
  if (isJsonObject(value)) return value;
  throw configurationError(file, [{ path: [], reason: "expected an object", line: 1 }]);
}
