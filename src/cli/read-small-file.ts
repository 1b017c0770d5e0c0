import { createReadStream } from "node:fs";
import { AppError } from "../core/errors.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { systemErrorCode } from "../core/system-error-code.ts";

const kib = 1024;
const mib = 1024 * kib;

/**
 * The text of a file that the command line or a variable names, to its end: also of a pipe, which `<(op read …)` is.
 * @param what it holds, for messages
 * @throws AppError `usage`: unreadable, or longer than `maxBytes`
 */
export async function readSmallFile(
  path: string,
  maxBytes: number,
  what: string,
  hint?: string,
): Promise<string> {
  const shown = quoteForShell(path);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) break;
      chunks.push(chunk);
    }
  } catch (error) {
    const code = systemErrorCode(error);
    const message =
      code === "ENOENT"
        ? `There is no file ${shown} with the ${what}`
        : `The ${what} in ${shown} cannot be read (${code ?? "unknown"})`;
    throw new AppError("usage", message, { hint, cause: error });
  }
  if (size <= maxBytes) return Buffer.concat(chunks).toString("utf8");
  const longest = maxBytes < mib ? `${maxBytes / kib} KiB` : `${maxBytes / mib} MiB`;
  throw new AppError("usage", `The file ${shown} is longer than ${longest}`, { hint });
}
