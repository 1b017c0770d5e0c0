import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { AppError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { configurationError } from "./configuration-problem.ts";
import type { ConfigurationError, ConfigurationProblem } from "./configuration-problem.ts";
import { parseJsonDocument } from "./json-document.ts";

/** What a folder says of the work that is done in it. It comes with whatever was checked out: it decides nothing. */
export interface ProjectFile {
  project?: string;
  preset?: string;
  tags?: readonly string[];
}

const largestBytes = 64 * 1024;
const longestName = 100;
const mostTags = 100;

/** What each key may be; others there are none. */
const keys = {
  project: { isGood: isName, must: `must be a text of 1 to ${longestName} visible characters` },
  preset: { isGood: isName, must: `must be a text of 1 to ${longestName} visible characters` },
  tags: { isGood: isTags, must: `must be a list of at most ${mostTags} such texts` },
} as const;

/**
 * Reads a `.onedoorrc`: JSON with comments that names a project, a preset and tags, and nothing else.
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
    const reason = rule?.must ?? "has no place in a project's file";
    return [{ path: [key], reason, hint, line: document.lineOf([key]) }];
  });
  const [first, ...more] = problems;
  if (first !== undefined) throw configurationError(file, [first, ...more]);
  const { project, preset, tags } = value;
  return {
    ...(isName(project) && { project }),
    ...(isName(preset) && { preset }),
    ...(isTags(tags) && { tags }),
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
    !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(value)
  );
}

function isTags(value: Json | undefined): value is string[] {
  return Array.isArray(value) && value.length <= mostTags && value.every(isName);
}

/** The file's text, from the very file that was found to be a regular one. */
async function readText(file: string): Promise<string> {
  let handle: FileHandle;
  try {
    // Without O_NONBLOCK (which Windows lacks) a named pipe would hold the command up for ever.
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw unreadable(file, error);
  }
  try {
    if (!(await handle.stat()).isFile()) throw wrong(file, "is not a regular file");
    const bytes = Buffer.alloc(largestBytes + 1);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > largestBytes) throw wrong(file, "is larger than 64 KiB");
    return textOf(bytes.subarray(0, length), file);
  } catch (error) {
    // The kernel has files that are regular and cannot be read: a link may lead to one.
    throw error instanceof AppError ? error : unreadable(file, error);
  } finally {
    await handle.close().catch(() => undefined);
  }
}

function unreadable(file: string, error: unknown): ConfigurationError {
  return wrong(file, `cannot be read (${systemErrorCode(error) ?? "unknown error"})`);
}

function textOf(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw wrong(file, "is not UTF-8 text");
  }
}

function wrong(file: string, reason: string, line?: number): ConfigurationError {
  return configurationError(file, [{ path: [], reason, line }]);
}
