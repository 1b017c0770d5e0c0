import { stat } from "node:fs/promises";
import { systemErrorCode } from "../../../core/system-error-code.ts";
import type { Check, Finding } from "../check.ts";
import type { Ground } from "../ground.ts";

const writableByOthers = 0o022;

/** Where everything is kept: whose it is, and who else may write there. */
export const directoriesCheck: Check = {
  name: "directories",
  async look(ground) {
    const { config, state } = ground.context.directories;
    const places = config === state ? [config] : [config, state];
    return Promise.all(places.map((path) => lookAt(path, ground)));
  },
};

async function lookAt(path: string, { shellPath }: Ground): Promise<Finding> {
  const name = "directories";
  const shown = shellPath(path);
  try {
    const { uid, mode, isDirectory } = await stat(path).then((found) => ({
      uid: found.uid,
      mode: found.mode & 0o777,
      isDirectory: found.isDirectory(),
    }));
    if (!isDirectory) {
      const mend = `mv ${shown} ${shown}.old`;
      return { name, state: "fail", message: `${shown} is no directory`, mend };
    }
    const own = process.getuid?.();
    if (own === undefined) return { name, state: "ok", message: shown };
    if (uid !== own) {
      const mend = `sudo chown -R "$(id -u)" ${shown}`;
      return { name, state: "fail", message: `${shown} belongs to another user`, mend };
    }
    const octal = mode.toString(8).padStart(4, "0");
    if ((mode & writableByOthers) === 0) {
      return { name, state: "ok", message: `${shown} (mode ${octal})` };
    }
    const message = `Group or others may write ${shown} (mode ${octal})`;
    return { name, state: "fail", message, mend: `chmod go-w ${shown}` };
  } catch (error) {
    const code = systemErrorCode(error);
    return code === "ENOENT"
      ? { name, state: "ok", message: `${shown} is not there yet` }
      : { name, state: "fail", message: `${shown} cannot be looked at (${code ?? "unknown"})` };
  }
}
