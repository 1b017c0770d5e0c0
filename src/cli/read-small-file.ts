import { createReadStream } from "node:fs";
import { AppError } from "../core/errors.ts";
import { systemErrorCode } from "../core/system-error-code.ts";

/**
 * The text of a file that was named on the command line.
 * @param what it is, for messages
 * @throws AppError `usage`: unreadable, or longer than `maxBytes`
 */
export async function readSmallFile(path: string, maxBytes: number, what: string): Promise<string> {
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    // Also of a pipe, which `<(op read …)` is.
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) {
        throw new AppError("usage", `The ${what} in ${path} is longer than ${maxBytes / 1024} KiB`);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  } catch (error) {
    if (error instanceof AppError) throw error;
    const code = systemErrorCode(error);
    throw new AppError("usage", `The ${what} in ${path} cannot be read (${code ?? "unknown"})`, {
      cause: error,
    });
  }
}
