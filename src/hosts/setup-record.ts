import { createHash } from "node:crypto";
import { readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../config/replace-file.ts";
import { AppError } from "../core/errors.ts";
import { isJsonObject, parseJson } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { quoteForShell } from "../core/shell-quote.ts";

/** One change of a file by setup: what to put back, for as long as the file is as setup left it. */
export interface SetupStep {
  name: string;
  /** Of the text before and after, so that nothing is put back into another one. */
  before: string;
  after: string;
  /** In place of what stands from `start` to `end` characters before the text's end belongs this. */
  start: number;
  end: number;
  text: string;
}

/** What setup did to a file, for `--undo`. Holds of the file only what setup wrote over: its own words. */
export interface SetupRecord {
  madeFile: boolean;
  madeContainer: boolean;
  /** The outermost first. */
  madeFolders: string[];
  /** The newest last. */
  steps: SetupStep[];
}

const mostSteps = 20;

export const emptyRecord: SetupRecord = {
  madeFile: false,
  madeContainer: false,
  madeFolders: [],
  steps: [],
};

function textHash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export function stepFrom(name: string, before: string, after: string): SetupStep {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const text = before.slice(start, before.length - end);
  return { name, before: textHash(before), after: textHash(after), start, end, text };
}

/** The text before a step; undefined where the text is not what the step made. */
export function textBefore(
  step: SetupStep | undefined,
  name: string,
  now: string,
): string | undefined {
  if (step === undefined || step.name !== name || step.after !== textHash(now)) return undefined;
  const text = now.slice(0, step.start) + step.text + now.slice(now.length - step.end);
  return textHash(text) === step.before ? text : undefined;
}

/** Undefined where there is none that could be read: undoing then goes by the file alone. */
export async function readSetupRecord(
  stateDir: string,
  file: string,
): Promise<SetupRecord | undefined> {
  try {
    const value = parseJson(await readFile(recordFile(stateDir, file), "utf8"));
    return isJsonObject(value) && value["file"] === file ? recordOf(value["record"]) : undefined;
  } catch {
    return undefined;
  }
}

/** @param record undefined: there is nothing to remember any more */
export async function writeSetupRecord(
  stateDir: string,
  file: string,
  record: SetupRecord | undefined,
): Promise<void> {
  const path = recordFile(stateDir, file);
  if (record === undefined) {
    await unlink(path).catch(() => undefined);
    return;
  }
  const kept = { ...record, steps: record.steps.slice(-mostSteps) };
  await replaceFile(path, `${JSON.stringify({ file, record: kept })}\n`, {
    found: undefined,
    folderMode: 0o700,
    fileMode: 0o600,
    refuse: (reason) => new AppError("internal", `${quoteForShell(path)} ${reason}`),
  });
}

function recordFile(stateDir: string, file: string): string {
  return join(stateDir, "setup", `${textHash(file).slice(0, 32)}.json`);
}

function recordOf(value: Json | undefined): SetupRecord | undefined {
  if (!isJsonObject(value)) return undefined;
  const { madeFile, madeContainer, madeFolders, steps } = value;
  if (!Array.isArray(madeFolders) || !Array.isArray(steps)) return undefined;
  return {
    madeFile: madeFile === true,
    madeContainer: madeContainer === true,
    madeFolders: madeFolders.filter((folder) => typeof folder === "string"),
    steps: steps.flatMap((step) => stepOf(step) ?? []),
  };
}

function stepOf(value: Json): SetupStep | undefined {
  if (!isJsonObject(value)) return undefined;
  const { name, before, after, start, end, text } = value;
  return typeof name === "string" &&
    typeof before === "string" &&
    typeof after === "string" &&
    typeof start === "number" &&
    typeof end === "number" &&
    typeof text === "string"
    ? { name, before, after, start, end, text }
    : undefined;
}
