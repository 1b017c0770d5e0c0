import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AppError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import { systemErrorCode } from "../../core/system-error-code.ts";
import { writePrivateFile } from "../../profiles/private-file.ts";
import type { StartOptions } from "./serve-options.ts";
import { checkStateDirectory, makeStateDirectory } from "./state-directory.ts";

/** Far more than six options take. */
const maxBytes = 64 * 1024;

/** Beside the runtime file, so that `--restart` starts what `--background` started. */
function fileOf(stateDir: string): string {
  return join(stateDir, "background.json");
}

/**
 * Remembers what a gateway in the background was started with. Holds no secret: no option of it does.
 * @throws AppError `config_invalid` (others may write the directory), `store_unavailable`
 */
export async function rememberStartOptions(stateDir: string, options: StartOptions): Promise<void> {
  const { config, host, port, auth, externalUrl, insecureHttp } = options;
  const text = JSON.stringify({
    config: config && resolve(config),
    host,
    port,
    auth,
    externalUrl,
    insecureHttp,
  });
  await makeStateDirectory(stateDir);
  await writePrivateFile(fileOf(stateDir), `${text}\n`);
}

/**
 * What the last one was started with; nothing where none was, or where the file cannot be understood.
 * @param uid who asks; undefined where users have no numbers (Windows)
 * @throws AppError `config_invalid` when somebody else may have written it: a file or directory of another
 *   user, one that group or others may write, or a link
 */
export async function readStartOptions(
  stateDir: string,
  uid: number | undefined = process.getuid?.(),
): Promise<StartOptions> {
  let value: unknown;
  if (await checkStateDirectory(stateDir, uid)) {
    const written = await readOwnFile(fileOf(stateDir), uid);
    try {
      value = JSON.parse(written ?? "");
    } catch {
      value = undefined;
    }
  }
  const kept = isJsonObject(value) ? value : {};
  const text = (key: string): string | undefined => {
    const entry = kept[key];
    return typeof entry === "string" ? entry : undefined;
  };
  const { port } = kept;
  return {
    config: text("config"),
    host: text("host"),
    port: typeof port === "number" ? port : undefined,
    auth: text("auth"),
    externalUrl: text("externalUrl"),
    insecureHttp: kept["insecureHttp"] === true,
  };
}

/** All checks are made on the file that is then read. */
async function readOwnFile(path: string, uid: number | undefined): Promise<string | undefined> {
  let file: FileHandle;
  try {
    // Not through a link, and without waiting for the writer of a pipe. Windows knows neither flag.
    const flags = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
    file = await open(path, constants.O_RDONLY | flags);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT") return undefined;
    throw untrusted(path, code === "ELOOP" ? "is a link" : `cannot be read (${code ?? "failed"})`);
  }
  try {
    const found = await file.stat();
    if (!found.isFile()) throw untrusted(path, "is no regular file");
    if (found.size > maxBytes) throw untrusted(path, "is too long");
    if (uid !== undefined && found.uid !== uid) throw untrusted(path, "belongs to another user");
    if (uid !== undefined && (found.mode & 0o022) !== 0) {
      throw untrusted(path, "may be written by others");
    }
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

function untrusted(path: string, reason: string): AppError {
  return new AppError("config_invalid", `${path} ${reason}: it does not say how to start again`, {
    hint: "Remove it, then agent serve --stop and agent serve --background with its options",
  });
}
