import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A user's home of its own: nothing of the machine's real user is seen or touched. */
export interface Home {
  readonly folder: string;
  /** Where `agent` keeps things when nothing else is said. */
  readonly configDir: string;
  readonly stateDir: string;
  /** The whole environment for a child process. */
  readonly env: Readonly<Record<string, string>>;
  /** Writes `<configDir>/mcp.json` (private, as the gateway wants it) and returns its path. */
  writeConfiguration(configuration: object | string): string;
  remove(): void;
}

export function createHome(): Home {
  const folder = mkdtempSync(join(tmpdir(), "onedoor-home-"));
  const configDir = join(folder, ".config", "onedoor");
  const stateDir = join(folder, ".local", "state", "onedoor");
  mkdirSync(join(folder, "run"), { mode: 0o700 });
  return {
    folder,
    configDir,
    stateDir,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      XDG_CONFIG_HOME: join(folder, ".config"),
      XDG_STATE_HOME: join(folder, ".local", "state"),
      XDG_RUNTIME_DIR: join(folder, "run"),
      // Nowhere: no test reaches a real keychain by accident.
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(folder, "run", "no-bus")}`,
      LANG: "C.UTF-8",
      TMPDIR: tmpdir(),
    },
    writeConfiguration(configuration) {
      mkdirSync(configDir, { recursive: true, mode: 0o700 });
      const file = join(configDir, "mcp.json");
      const text =
        typeof configuration === "string" ? configuration : JSON.stringify(configuration, null, 2);
      writeFileSync(file, text, { mode: 0o600 });
      return file;
    },
    remove() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
