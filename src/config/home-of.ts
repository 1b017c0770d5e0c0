import { homedir } from "node:os";
import type { Environment } from "./environment.ts";

/** The user's home directory, as the environment names it, else as the system does. */
export function homeOf({ all }: Pick<Environment, "all">): string {
  return all["HOME"] || all["USERPROFILE"] || homedir();
}
