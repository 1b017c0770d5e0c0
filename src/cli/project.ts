import { findProject } from "../config/find-project.ts";
import type { FoundProject } from "../config/find-project.ts";
import { homeOf } from "../config/home-of.ts";
import type { Context } from "./context.ts";

/**
 * What is known of the work that is done in the working directory.
 * @throws AppError `config_invalid` for a `.onedoorrc` that is wrong
 */
export function currentProject({
  environment,
}: Pick<Context, "environment">): Promise<FoundProject> {
  const folder = workingDirectory();
  return folder === undefined ? Promise.resolve({}) : findProject(folder, homeOf(environment));
}

/** Undefined when it has been removed. */
function workingDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}
