import { readlink, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { systemErrorCode } from "../core/system-error-code.ts";
import type { ConfigurationProblem } from "./configuration-problem.ts";
import { readRegularFile } from "./read-regular-file.ts";

/** Far beyond any real configuration; keeps a mistaken path from filling the memory. */
export const largestConfigurationBytes = 1024 * 1024;
/** As many as Linux follows (path_resolution(7)). */
const mostLinks = 40;
const writableByOthers = 0o022;
const sticky = 0o1000;

export type FileContent =
  | { kind: "read"; text: string }
  | { kind: "absent" }
  | { kind: "refused"; problem: ConfigurationProblem };

/**
 * Reads the configuration file. Refused: what is no regular file, more than 1 MiB, not UTF-8, or what
 * somebody else may write or replace, for whoever may chooses what the gateway runs: a file or folder of
 * another user than this one or root, one that group or others may write (a sticky folder is none, there
 * everybody moves only what is theirs). Where the file is a link, the folder of each link counts. The file's
 * own checks and the read are made on the same open file.
 * @param uid who reads; undefined where users have no numbers (Windows), and then nothing of them is checked
 */
export async function readConfigurationFile(
  file: string,
  uid: number | undefined = process.getuid?.(),
): Promise<FileContent> {
  const found = await readRegularFile(file, { mostBytes: largestConfigurationBytes });
  switch (found.kind) {
    case "absent":
      return { kind: "absent" };
    case "unreadable":
      return refused(`cannot be read (${found.code})`);
    case "irregular":
      return refused("is not a regular file");
    case "read":
    case "too-large":
    case "no-text": {
      const chosen = uid === undefined ? undefined : await accessProblem(file, found.status, uid);
      if (chosen !== undefined) return { kind: "refused", problem: chosen };
      if (found.kind === "too-large") return refused("is larger than 1 MiB");
      if (found.kind === "no-text") return refused("is not UTF-8 text");
      return { kind: "read", text: found.text };
    }
  }
}

/** Who may write what: the part of `fs.Stats` that says so. */
interface Access {
  uid: number;
  mode: number;
}

async function accessProblem(
  file: string,
  status: Access,
  uid: number,
): Promise<ConfigurationProblem | undefined> {
  try {
    return fileProblem(status, uid) ?? (await folderProblem(file, uid));
  } catch (error) {
    return problem(`cannot be read (${systemErrorCode(error) ?? "unknown error"})`);
  }
}

function fileProblem(found: Access, uid: number): ConfigurationProblem | undefined {
  if (isForeign(found, uid)) {
    return problem(
      `belongs to another user (uid ${found.uid}), who could choose what the gateway runs`,
      "chown the file, or copy it to a folder of your own",
    );
  }
  if ((found.mode & writableByOthers) === 0) return undefined;
  return problem(
    `group or others may write it (mode ${octal(found.mode)}), so they could choose what the gateway runs`,
    "chmod go-w on the file",
  );
}

/** The folder the file is named in, and the folder of each file that a link leads to. */
async function folderProblem(file: string, uid: number): Promise<ConfigurationProblem | undefined> {
  let at = resolve(file);
  for (let links = 0; links <= mostLinks; links += 1) {
    const folder = dirname(at);
    const found = await stat(folder);
    if (isForeign(found, uid)) {
      return problem(
        `its folder ${folder} belongs to another user (uid ${found.uid}), who could replace it`,
        "keep it in a folder of your own",
      );
    }
    if ((found.mode & writableByOthers) !== 0 && (found.mode & sticky) === 0) {
      return problem(
        `group or others may write its folder ${folder} (mode ${octal(found.mode)}), so they could replace it`,
        "chmod go-w on the folder",
      );
    }
    const target = await linkTarget(at);
    if (target === undefined) return undefined;
    at = resolve(folder, target);
  }
  return problem("is behind too many links");
}

/** Where a link leads; undefined for what is none. */
async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (systemErrorCode(error) === "EINVAL") return undefined;
    throw error;
  }
}

function isForeign(found: Access, uid: number): boolean {
  return found.uid !== uid && found.uid !== 0;
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}

function problem(reason: string, hint?: string): ConfigurationProblem {
  return { path: [], reason, hint };
}

function refused(reason: string): FileContent {
  return { kind: "refused", problem: problem(reason) };
}
