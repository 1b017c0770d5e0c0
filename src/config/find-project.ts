import { realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

// Loads no package: most projects have no file of ours, and every `agent run` looks for one.

/** What a project may say of itself; JSON with comments. */
const projectFileName = ".onedoorrc";

/** Nothing is that deep; a loop of mounts must end. */
const mostFolders = 256;

/** What is known of the work that is done in a folder. */
export interface FoundProject {
  /** What the calls made there are said to belong to. */
  project?: string | undefined;
  /** The servers that are of use there. */
  preset?: string | undefined;
  tags?: readonly string[] | undefined;
  filter?: string | undefined;
  /** The `.onedoorrc` that says so. */
  file?: string | undefined;
}

/**
 * What the nearest `.onedoorrc` says; where it names no project, that is the name of the folder that holds `.git`.
 * Looked for upward, not above the root of the repository nor above `home`; outside
 * of both only in the folder itself, since what lies above may be anybody's. It grants nothing.
 * @param home the user's home folder
 * @throws AppError `config_invalid` for a `.onedoorrc` that is wrong, naming file and key
 */
export async function findProject(folder: string, home: string): Promise<FoundProject> {
  const { files, root } = await lookUpward(await realPathOf(folder), await realPathOf(home));
  const [nearest] = files;
  const project = root === undefined ? "" : basename(root);
  const byFolder = project === "" ? {} : { project };
  if (nearest === undefined) return byFolder;
  const { readProjectFile } = await import("./project-file.ts");
  return { ...byFolder, ...(await readProjectFile(nearest)), file: nearest };
}

/** The project files on the way, the nearest first, and the repository's root. */
async function lookUpward(
  start: string,
  home: string,
): Promise<{ files: readonly string[]; root: string | undefined }> {
  const found: { folder: string; file: string | undefined }[] = [];
  let folder = start;
  for (let depth = 0; depth < mostFolders; depth += 1) {
    const file = join(folder, projectFileName);
    const [hasFile, isRoot] = await Promise.all([exists(file), exists(join(folder, ".git"))]);
    found.push({ folder, file: hasFile ? file : undefined });
    const above = dirname(folder);
    if (isRoot || folder === home) {
      return { files: filesOf(found), root: isRoot ? folder : undefined };
    }
    if (above === folder) break;
    folder = above;
  }
  return { files: filesOf(found.slice(0, 1)), root: undefined };
}

function filesOf(found: readonly { file: string | undefined }[]): string[] {
  return found.flatMap(({ file }) => file ?? []);
}

/** The home may be a link, and a working directory never goes by one. */
function realPathOf(folder: string): Promise<string> {
  const path = resolve(folder);
  return realpath(path).catch(() => path);
}

/** What may not be looked at is not there. */
async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
