import { join, posix, resolve, win32 } from "node:path";
import { AppError } from "../core/errors.ts";
import type { Environment } from "./environment.ts";
import { homeOf } from "./home-of.ts";

/** Where everything of one user lives; nothing here is created by resolving it. */
export interface Directories {
  /** Configuration and profiles. */
  config: string;
  /** Database, logs, runtime file. */
  state: string;
}

/**
 * The XDG directories on Linux, the platform's own places on macOS and Windows; with `--config-dir`
 * (or its environment twin) everything lives below that folder.
 * @throws AppError `usage` where the environment names no home: nothing is kept wherever a command happens to run
 */
export function resolveDirectories(
  configDir: string | undefined,
  environment: Environment,
  platform: NodeJS.Platform = process.platform,
): Directories {
  const directories = directoriesOf(configDir, environment, platform);
  const path = platform === "win32" ? win32 : posix;
  if (path.isAbsolute(directories.config) && path.isAbsolute(directories.state)) return directories;
  throw new AppError("usage", "There is no home directory: HOME is empty or no absolute path", {
    hint: "--config-dir <dir>, or ONEDOOR_CONFIG_DIR, says where everything is kept",
  });
}

function directoriesOf(
  configDir: string | undefined,
  environment: Environment,
  platform: NodeJS.Platform,
): Directories {
  const given = configDir ?? environment.configDir;
  if (given !== undefined) {
    const config = resolve(given);
    return { config, state: join(config, "state") };
  }
  const { all } = environment;
  const home = homeOf(environment);
  if (platform === "darwin") {
    const config = join(home, "Library", "Application Support", "onedoor");
    return { config, state: join(config, "state") };
  }
  if (platform === "win32") {
    const roaming = all["APPDATA"] || join(home, "AppData", "Roaming");
    const local = all["LOCALAPPDATA"] || join(home, "AppData", "Local");
    return { config: join(roaming, "onedoor"), state: join(local, "onedoor") };
  }
  // XDG Base Directory Specification: a relative path in these variables is to be ignored.
  const xdg = (name: string, fallback: string): string => {
    const value = all[name];
    return value?.startsWith("/") ? value : join(home, fallback);
  };
  return {
    config: join(xdg("XDG_CONFIG_HOME", ".config"), "onedoor"),
    state: join(xdg("XDG_STATE_HOME", ".local/state"), "onedoor"),
  };
}
