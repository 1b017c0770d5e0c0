import { homedir } from "node:os";
import { findProject } from "../config/find-project.ts";
import type { Context } from "./context.ts";

/**
 * What calls from the working directory are said to belong to; undefined where nothing says so.
 * @throws AppError `config_invalid` for a `.onedoorrc` that is wrong
 */
export function currentProject({
  environment: { all },
}: Pick<Context, "environment">): Promise<string | undefined> {
  const folder = workingDirectory();
  const home = all["HOME"] || all["USERPROFILE"] || homedir();
  return folder === undefined ? Promise.resolve(undefined) : findProject(folder, home);
}

/** Undefined when it has been removed. */
function workingDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}
