import type { Stats } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { AppError } from "../../core/errors.ts";
import { systemErrorCode } from "../../core/system-error-code.ts";

/**
 * Makes the state directory, for its owner alone, or makes sure that nobody else can have put something into
 * the one there is. Nothing in it may be read or run before.
 * @throws AppError `config_invalid`
 */
export async function makeStateDirectory(stateDir: string): Promise<void> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await checkStateDirectory(stateDir);
}

/**
 * The same without making it.
 * @param uid who asks; undefined where users have no numbers (Windows), and then nothing is checked
 * @returns false when there is none
 * @throws AppError `config_invalid`
 */
export async function checkStateDirectory(
  stateDir: string,
  uid: number | undefined = process.getuid?.(),
): Promise<boolean> {
  let found: Stats;
  try {
    found = await stat(stateDir);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return false;
    throw error;
  }
  if (uid === undefined) return true;
  if (found.uid !== uid) {
    throw new AppError("config_invalid", `${stateDir} belongs to another user`, {
      hint: "Choose another place with --config-dir",
    });
  }
  if ((found.mode & 0o022) !== 0) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, "0");
    throw new AppError(
      "config_invalid",
      `Group or others may write ${stateDir} (mode ${mode}), so they could choose what the gateway does`,
      { hint: "Look for files in it that are not yours, then chmod 700 the directory" },
    );
  }
  return true;
}
