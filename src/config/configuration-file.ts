import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { systemErrorCode } from "../core/system-error-code.ts";
import type { ConfigurationProblem } from "./configuration-problem.ts";

/** Far beyond any real configuration; keeps a mistaken path from filling the memory. */
const largestBytes = 1024 * 1024;

export type FileContent =
  | { kind: "read"; text: string }
  | { kind: "absent" }
  | { kind: "refused"; problem: ConfigurationProblem };

/**
 * Reads the configuration file. Refused: what is no regular file, more than 1 MiB, not UTF-8, or
 * writable by group or others (whoever may write it chooses what the gateway runs). The checks and
 * the read are made on the same open file.
 */
export async function readConfigurationFile(
  file: string,
  platform: NodeJS.Platform = process.platform,
): Promise<FileContent> {
  let handle;
  try {
    // Without O_NONBLOCK (which Windows lacks) a named pipe would hold the start up for ever.
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "absent" };
    return refused(`cannot be read (${code ?? "unknown error"})`);
  }
  try {
    const status = await handle.stat();
    if (!status.isFile()) return refused("is not a regular file");
    if (platform !== "win32" && (status.mode & 0o022) !== 0) {
      const mode = (status.mode & 0o777).toString(8).padStart(4, "0");
      return refused(
        `group or others may write it (mode ${mode}), so they could choose what the gateway runs`,
        "chmod go-w on the file",
      );
    }
    const bytes = Buffer.alloc(Math.min(status.size, largestBytes) + 1);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > largestBytes) return refused("is larger than 1 MiB");
    try {
      const decoder = new TextDecoder("utf-8", { fatal: true });
      return { kind: "read", text: decoder.decode(bytes.subarray(0, length)) };
    } catch {
      return refused("is not UTF-8 text");
    }
  } finally {
    await handle.close();
  }
}

function refused(reason: string, hint?: string): FileContent {
  return { kind: "refused", problem: { path: [], reason, hint } };
}
