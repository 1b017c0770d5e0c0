import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { createDeadline } from "../../../src/client/deadline.ts";
import type { Context } from "../../../src/cli/context.ts";
import { createSetup } from "../../../src/cli/commands/setup.ts";
import { KnownSecrets } from "../../../src/cli/known-secrets.ts";
import { readEnvironment } from "../../../src/config/environment.ts";
import type { Machine } from "../../../src/hosts/host.ts";

type Flags = Partial<Parameters<ReturnType<typeof createSetup>["run"]>[0]>;

/** A user with a home and a project, on whatever system, who runs `agent setup`. */
export class SetupBench {
  readonly base = realpathSync(mkdtempSync(join(tmpdir(), "onedoor-setup-")));
  readonly home = this.made("home");
  readonly project = this.made("project");
  readonly notes: string[] = [];
  stdout = "";
  platform: NodeJS.Platform = "linux";
  script = "/opt/onedoor/dist/main.js";
  /** What somebody at a terminal types; undefined: nobody is there. */
  typed: string | undefined;
  variables: Record<string, string> = {};

  made(...words: string[]): string {
    const folder = join(this.base, ...words);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** A file's place, in a folder that is there. */
  place(root: string, ...words: string[]): string {
    const file = join(root, ...words);
    mkdirSync(dirname(file), { recursive: true });
    return file;
  }

  async run(flags: Flags): Promise<void> {
    this.stdout = "";
    this.notes.length = 0;
    const { platform, home } = this;
    const environment: Machine["environment"] = this.variables;
    const command = createSetup(() => ({
      machine: { platform, home, environment },
      folder: this.project,
      program: { node: "/usr/bin/node", script: this.script },
    }));
    const given = {
      client: "claude",
      scope: "user",
      way: "mcp",
      undo: false,
      dryRun: false,
    } as const;
    const common = { yes: false, insecureHttp: false, json: false, quiet: false, debug: false };
    await command.run({ ...given, ...common, format: "text", ...flags }, this.context);
  }

  get context(): Context {
    const isThere = this.typed !== undefined;
    const stdin = new PassThrough();
    if (isThere) stdin.end(this.typed);
    const signal = new AbortController().signal;
    return {
      io: {
        stdin,
        stdinIsTerminal: isThere,
        stdoutIsTerminal: false,
        stderrIsTerminal: isThere,
        spinners: false,
        columns: 80,
        out: (text) => {
          this.stdout += String(text);
          return Promise.resolve();
        },
        note: (line) => void this.notes.push(line),
        spin: () => ({ update: () => undefined, stop: () => undefined }),
        foreign: (text) => text,
      },
      environment: readEnvironment(this.variables),
      directories: { config: join(this.base, "config"), state: join(this.base, "state") },
      now: () => 0,
      secrets: new KnownSecrets(),
      signal,
      interrupt: () => undefined,
      onForcedEnd: () => undefined,
      deadline: createDeadline(30_000, signal),
      renewals: new Map(),
    };
  }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true });
  }
}
