import { fstatSync } from "node:fs";
import type { Io } from "./context.ts";

/**
 * Whether stdin is something to read: a pipe, a file or a socket. A terminal or another character device (`/dev/null`)
 * is not, nor is a stdin that is closed. A stream without a descriptor was handed in on purpose.
 */
export function isPiped({ fd }: Io["stdin"]): boolean {
  if (fd === undefined) return true;
  try {
    const found = fstatSync(fd);
    return found.isFIFO() || found.isFile() || found.isSocket();
  } catch {
    return false;
  }
}
