import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { mainFile } from "./agent.ts";
import type { AgentResult } from "./agent.ts";

const nobody = 65_534;

export interface Stranger {
  /** The stranger's own; what is put into it becomes the stranger's with `own`. */
  folder: string;
  /** Runs the program as the stranger. */
  agent(args: string, env?: Readonly<Record<string, string>>): Promise<AgentResult>;
  own(): void;
  remove(): void;
}

/** A user who is nobody else, with the built program where that user can read it. Needs to be root. */
export function createStranger(): Stranger {
  const program = mkdtempSync(join(tmpdir(), "onedoor-program-"));
  chmodSync(program, 0o755);
  cpSync(dirname(mainFile), join(program, "dist"), { recursive: true });
  // Node itself may lie in root's own home.
  copyFileSync(process.execPath, join(program, "node"), constants.COPYFILE_FICLONE);
  const folder = mkdtempSync(join(tmpdir(), "onedoor-stranger-"));
  const own = (): void => {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
    for (const name of ["", ...names]) chownSync(join(folder, name), nobody, nobody);
  };
  own();
  return {
    folder,
    own,
    async agent(args, env = {}) {
      const child = spawn(
        join(program, "node"),
        [join(program, "dist/main.js"), ...args.split(" ")],
        {
          uid: nobody,
          gid: nobody,
          cwd: folder,
          env: { HOME: folder, XDG_CONFIG_HOME: join(folder, ".config"), ...env },
          stdio: ["ignore", "pipe", "pipe"],
        },
      );
      const [stdout, stderr, [code, signal]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
          child.once("error", reject);
          child.once("close", (...how) => resolve(how));
        }),
      ]);
      return { code, signal, stdout, stderr };
    },
    remove() {
      rmSync(program, { recursive: true, force: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
