import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PersonOptions } from "../../fixtures/play-browser.mjs";

export interface BrowserProgram {
  /** Put over a home's environment, it makes the program believe in a screen and find this browser first. */
  readonly env: Readonly<Record<string, string>>;
  /** Where it has been so far. */
  visits(): readonly string[];
}

/**
 * Writes an `xdg-open` that goes through the pages by itself, as `playBrowser` does, in a process of its own.
 * @param folder for it; made when it is missing
 */
export function browserProgram(folder: string, person: PersonOptions = {}): BrowserProgram {
  mkdirSync(folder, { recursive: true });
  const log = join(folder, "visits.txt");
  const player = fileURLToPath(new URL("../../fixtures/play-browser.mjs", import.meta.url));
  const quoted = [process.execPath, player, log, JSON.stringify(person)].map(
    (word) => `'${word.replaceAll("'", `'\\''`)}'`,
  );
  const file = join(folder, "xdg-open");
  writeFileSync(file, `#!/bin/sh\nexec ${quoted.join(" ")} "$@"\n`);
  chmodSync(file, 0o755);
  return {
    env: { PATH: `${folder}:${process.env["PATH"] ?? ""}`, DISPLAY: ":0" },
    visits: () => (existsSync(log) ? readFileSync(log, "utf8").split("\n").slice(0, -1) : []),
  };
}
