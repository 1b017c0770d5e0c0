import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { lstat, mkdir, open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { sameJson } from "../core/same-json.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { largestConfigurationBytes, readConfigurationFile } from "./configuration-file.ts";
import { configurationError } from "./configuration-problem.ts";
import { withValueAt } from "./edit-json.ts";
import { parseJsonDocument } from "./json-document.ts";
import { entryProblems } from "./schema-problems.ts";

const newFile = "{}\n";

/**
 * Puts an entry into `mcpServers` of the configuration file, in place of the one of this name or at the end. All else
 * stays as it is written: comments, order, indentation, line ends; of the entry itself what is not changed. A file that
 * is missing is made, for its owner alone; one that is there keeps its mode and owner.
 *
 * The file is replaced as a whole, by a rename. Where somebody else saved it since it was read, nothing is changed;
 * between the last look at it and the rename remains a moment that no system closes.
 * @param entry as it is to stand there, with its `${NAME}`s
 * @throws AppError `config_invalid`, and nothing is changed: the file is one that would not be loaded (links apart,
 *   which are never written through), the entry is none, or the system refuses
 */
export async function writeServerEntry(
  file: string,
  name: string,
  entry: JsonObject,
  read: typeof readConfigurationFile = readConfigurationFile,
): Promise<void> {
  const [problem, ...more] = entryProblems(name, entry);
  if (problem !== undefined) throw configurationError(file, [problem, ...more]);
  const found = await statusOf(file);
  const text = await textOf(file, read);
  const edited = editedText(file, text ?? newFile, name, entry);
  if (edited === text) return;
  await replaceFile(file, { found, edited }, async () => (await textOf(file, read)) === text);
}

/** @throws AppError `config_invalid` for a link */
async function statusOf(file: string): Promise<Stats | undefined> {
  try {
    const status = await lstat(file);
    if (!status.isSymbolicLink()) return status;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw refusal(file, `cannot be read (${systemErrorCode(error) ?? "unknown error"})`);
  }
  throw refusal(file, "is a link, and nothing is written through one", "edit the file behind it");
}

async function textOf(
  file: string,
  read: typeof readConfigurationFile,
): Promise<string | undefined> {
  const content = await read(file);
  if (content.kind === "refused") throw configurationError(file, [content.problem]);
  return content.kind === "absent" ? undefined : content.text;
}

function editedText(file: string, text: string, name: string, entry: JsonObject): string {
  const before = parsed(file, text);
  const servers = before["mcpServers"] === undefined ? {} : before["mcpServers"];
  if (!isJsonObject(servers)) {
    const reason = "expected an object of servers";
    throw configurationError(file, [{ path: ["mcpServers"], reason }]);
  }
  const mark = text.startsWith("\u{feff}") ? "\u{feff}" : "";
  const edited = mark + withValueAt(text.slice(mark.length), ["mcpServers", name], entry);
  // Whatever the text looked like: nothing is written but what was to be.
  const wanted = { ...before, mcpServers: { ...servers, [name]: entry } };
  if (!sameJson(parsed(file, edited), wanted)) {
    throw refusal(file, `cannot be edited at mcpServers.${name}`, "put the entry in by hand");
  }
  if (Buffer.byteLength(edited) > largestConfigurationBytes) {
    throw refusal(file, "would be larger than 1 MiB");
  }
  return edited;
}

function parsed(file: string, text: string): JsonObject {
  const result = parseJsonDocument(text);
  if (result.kind === "broken") throw configurationError(file, result.problems);
  const value: Json = result.document.value;
  if (isJsonObject(value)) return value;
  throw configurationError(file, [{ path: [], reason: "expected an object", line: 1 }]);
}

async function replaceFile(
  file: string,
  { found, edited }: { found: Stats | undefined; edited: string },
  isAsRead: () => Promise<boolean>,
): Promise<void> {
  const folder = dirname(file);
  const draft = join(folder, `.${basename(file)}.${randomBytes(8).toString("hex")}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(edited);
      if (found !== undefined) {
        const own = await handle.stat();
        if (own.uid !== found.uid || own.gid !== found.gid)
          await handle.chown(found.uid, found.gid);
        await handle.chmod(found.mode & 0o777);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await statusOf(file);
    if (!(await isAsRead())) {
      throw refusal(file, "was changed meanwhile, so nothing was written", "try again");
    }
    await rename(draft, file);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    if (error instanceof AppError) throw error;
    throw refusal(file, `cannot be written (${systemErrorCode(error) ?? "unknown error"})`);
  }
}

function refusal(file: string, reason: string, hint?: string): AppError {
  return configurationError(file, [{ path: [], reason, hint }]);
}
