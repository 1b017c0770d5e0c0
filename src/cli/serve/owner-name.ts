import { userInfo } from "node:os";

/** The operating-system user; a container's may have no name. */
export function ownerName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}
