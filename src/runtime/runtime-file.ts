import type { Stats } from "node:fs";
import { constants } from "node:fs";
import { chmod, mkdir, open, rename, stat, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { AppError } from "../core/errors.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { isProcessAlive, processStart } from "./process-start.ts";
import type { RuntimeRecord, StoredRuntimeRecord } from "./runtime-record.ts";
import { formatRuntimeRecord, isLoopbackUrl, parseRuntimeRecord } from "./runtime-record.ts";

/** What the runtime file says about a running gateway of this user. */
export type RuntimeFileState =
  | { kind: "running"; record: RuntimeRecord }
  /** There is none: no gateway runs on this state directory. */
  | { kind: "absent" }
  /** It is this user's, but its process has ended. `record` is what it said, for messages only. */
  | { kind: "stale"; reason: string; record?: RuntimeRecord }
  /** Somebody else may have written it: nothing in it counts. `reason` goes after the file's name. */
  | { kind: "untrusted"; reason: string };

const maxBytes = 4096;
const groupAndOthers = 0o077;
const writableByOthers = 0o022;

export function runtimeFilePath(stateDir: string): string {
  return join(stateDir, "server.json");
}

/**
 * Writes the runtime file of the calling process: whole or not at all, 0600, in a directory that is
 * made 0700. A file that is there is replaced, so the caller must own the state directory (storage's lock).
 * @throws AppError `config_invalid` for a URL that is not loopback, or is https without its certificates, or a
 *   directory of somebody else
 */
export async function writeRuntimeFile(stateDir: string, record: RuntimeRecord): Promise<void> {
  if (!isLoopbackUrl(record.url)) {
    throw new AppError("config_invalid", `${record.url} is not a loopback address`);
  }
  if (record.url.startsWith("https:") !== (record.certificates !== undefined)) {
    throw new AppError("config_invalid", `What ${record.url} shows as its certificate is not said`);
  }
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const directory = await stat(stateDir);
  if (process.getuid && directory.uid !== process.getuid()) {
    throw new AppError("config_invalid", `${stateDir} belongs to another user`, {
      hint: "Choose another place with --config-dir",
    });
  }
  // Too open from before, or too tight by the umask.
  if ((directory.mode & 0o777) !== 0o700) {
    await chmod(stateDir, 0o700);
  }
  const temporary = join(stateDir, `.server.json.${process.pid}.${randomBytes(6).toString("hex")}`);
  const handle = await open(temporary, "wx", 0o600);
  try {
    // The umask may have taken bits away; and renaming keeps the inode.
    await handle.chmod(0o600);
    const { ino } = await handle.stat({ bigint: true });
    const start = (await processStart(record.pid)) ?? null;
    await handle.writeFile(
      formatRuntimeRecord({ ...record, processStart: start, inode: String(ino) }),
    );
    await handle.sync();
    await handle.close();
    await rename(temporary, runtimeFilePath(stateDir));
  } catch (error) {
    await handle.close().catch(() => undefined);
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** Removes the runtime file when it is still the one of `record`; another gateway's file stays. */
export async function removeRuntimeFile(stateDir: string, record: RuntimeRecord): Promise<void> {
  const path = runtimeFilePath(stateDir);
  let handle: FileHandle;
  try {
    handle = await openRegularFile(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT" || systemErrorCode(error) === "ELOOP") {
      return;
    }
    throw error;
  }
  let stored: StoredRuntimeRecord | undefined;
  try {
    stored = parseRuntimeRecord(await readBounded(handle));
  } finally {
    await handle.close();
  }
  if (stored?.pid === record.pid && stored.secret === record.secret) {
    await unlink(path);
  }
}

/**
 * Finds the running gateway of this user. The file counts only if it is a regular file with one name,
 * opened without following links, owned by this user, without group or other bits, in a directory that
 * only this user (or root) can write, in the place where it was written, naming a loopback URL and a
 * living process that is still the one that wrote it. All is asked of the opened descriptor, so the file
 * cannot be exchanged between check and read. Never throws for what is found there.
 * @param identity the user the file must belong to; undefined (Windows) leaves ownership to the profile directory
 */
export async function readRuntimeFile(
  stateDir: string,
  identity: { uid: number | undefined } = { uid: process.getuid?.() },
): Promise<RuntimeFileState> {
  let handle: FileHandle;
  try {
    handle = await openRegularFile(runtimeFilePath(stateDir));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") {
      return { kind: "absent" };
    }
    return {
      kind: "untrusted",
      reason: code === "ELOOP" ? "is a symbolic link" : `cannot be opened (${code ?? "unknown"})`,
    };
  }
  try {
    const file = await handle.stat();
    const { ino } = await handle.stat({ bigint: true });
    const complaint =
      complaintAboutFile(file, identity.uid) ??
      complaintAboutDirectory(await stat(stateDir), identity.uid);
    if (complaint !== undefined) {
      return { kind: "untrusted", reason: complaint };
    }
    const stored = parseRuntimeRecord(await readBounded(handle));
    if (stored === undefined) {
      return { kind: "untrusted", reason: "is not a runtime file" };
    }
    if (stored.inode !== String(ino)) {
      return { kind: "untrusted", reason: "is a copy of a runtime file" };
    }
    if (!isLoopbackUrl(stored.url)) {
      return { kind: "untrusted", reason: "does not name a loopback address" };
    }
    return await judgeProcess(stored);
  } catch (error) {
    return { kind: "untrusted", reason: `cannot be read (${systemErrorCode(error) ?? "unknown"})` };
  } finally {
    await handle.close();
  }
}

async function judgeProcess(stored: StoredRuntimeRecord): Promise<RuntimeFileState> {
  const { processStart: recorded, inode: _inode, ...record } = stored;
  if (!isProcessAlive(record.pid)) {
    return { kind: "stale", reason: `process ${record.pid} has ended`, record };
  }
  const current = await processStart(record.pid);
  if (current === undefined || (recorded !== null && current !== null && current !== recorded)) {
    return { kind: "stale", reason: `process ${record.pid} is another one by now`, record };
  }
  return { kind: "running", record };
}

function complaintAboutFile(file: Stats, uid: number | undefined): string | undefined {
  if (!file.isFile()) {
    return "is not a regular file";
  }
  if (file.nlink > 1) {
    return "has a second name (hard link)";
  }
  if (uid === undefined) {
    return undefined;
  }
  if (file.uid !== uid) {
    return "belongs to another user";
  }
  return (file.mode & groupAndOthers) === 0 ? undefined : "is open to group or others";
}

function complaintAboutDirectory(directory: Stats, uid: number | undefined): string | undefined {
  if (uid === undefined) {
    return undefined;
  }
  if (directory.uid !== uid && directory.uid !== 0) {
    return "lies in a directory of another user";
  }
  return (directory.mode & writableByOthers) === 0
    ? undefined
    : "lies in a directory that others can write";
}

/** Without following a link at the end of the path, and without waiting for the writer of a pipe. */
function openRegularFile(path: string): Promise<FileHandle> {
  // Windows knows neither flag (undefined there); links need a privilege on it.
  const flags = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  return open(path, constants.O_RDONLY | flags);
}

async function readBounded(handle: FileHandle): Promise<string> {
  const buffer = Buffer.alloc(maxBytes + 1);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
  return bytesRead > maxBytes ? "" : buffer.toString("utf8", 0, bytesRead);
}
