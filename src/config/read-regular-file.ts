import { constants } from "node:fs";
import type { Stats } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { systemErrorCode } from "../core/system-error-code.ts";

/** What reading a file came to; `status` is of the very file that was read. */
export type RegularFile =
  /** A byte order mark stays at the beginning, for whoever writes the file again. */
  | { kind: "read"; text: string; status: Stats }
  /** `code` is the system's, of here and below. */
  | { kind: "absent"; code: string }
  /** A folder, a pipe, a device. */
  | { kind: "irregular" }
  | { kind: "too-large"; status: Stats }
  /** No UTF-8. */
  | { kind: "no-text"; status: Stats }
  /** With `noFollow`, a link has `ELOOP`. */
  | { kind: "unreadable"; code: string };

/**
 * Reads a text of UTF-8 from the very file that was found to be a regular one. A pipe is not waited for, and no more is
 * read than may be, whatever the file says of its size. Never throws.
 */
export async function readRegularFile(
  path: string,
  { mostBytes, noFollow = false }: { mostBytes: number; noFollow?: boolean },
): Promise<RegularFile> {
  let handle: FileHandle;
  try {
    // Windows has neither flag. Without O_NONBLOCK a named pipe would be waited for, for ever.
    const flags = (constants.O_NONBLOCK ?? 0) | (noFollow ? (constants.O_NOFOLLOW ?? 0) : 0);
    handle = await open(path, constants.O_RDONLY | flags);
  } catch (error) {
    const code = codeOf(error);
    return { kind: code === "ENOENT" || code === "ENOTDIR" ? "absent" : "unreadable", code };
  }
  try {
    const status = await handle.stat();
    if (!status.isFile()) return { kind: "irregular" };
    const bytes = await readAtMost(handle, mostBytes);
    if (bytes.length > mostBytes) return { kind: "too-large", status };
    const text = decoded(bytes);
    return text === undefined ? { kind: "no-text", status } : { kind: "read", text, status };
  } catch (error) {
    // The kernel has files that are regular and cannot be read: a link may lead to one.
    return { kind: "unreadable", code: codeOf(error) };
  } finally {
    await handle.close().catch(() => undefined);
  }
}

const firstBytes = 64 * 1024;

/** All that is there, or one byte more than may be: files of the kernel have more in them than they say. */
async function readAtMost(handle: FileHandle, mostBytes: number): Promise<Buffer> {
  const { size } = await handle.stat();
  let bytes = Buffer.alloc(Math.min(Math.max(size, firstBytes), mostBytes) + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
    length += bytesRead;
    if (bytesRead === 0 || length > mostBytes) return bytes.subarray(0, length);
    if (length === bytes.length) {
      const more = Buffer.alloc(Math.min(length * 2, mostBytes + 1));
      bytes.copy(more);
      bytes = more;
    }
  }
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  return systemErrorCode(error) ?? "unknown error";
}
