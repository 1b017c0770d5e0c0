import {
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
  mkdtempSync,
  existsSync,
  chmodSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeCredential, secretsOf } from "../../../src/profiles/credential-text.ts";
import { startAgent } from "../support/agent.ts";
import type { AgentResult, RunningAgent } from "../support/agent.ts";
import type { Home } from "../support/home.ts";
import { agentOnTerminal } from "../support/on-terminal.ts";
import type { TerminalResult, Typed } from "../support/on-terminal.ts";
import { SecretHunt } from "./secret-hunt.ts";
import type { Trace } from "./secret-hunt.ts";
import { watchProcesses } from "./watch-processes.ts";

/** Runs commands in a home, and keeps all that each leaves behind and every secret that it brings. */
export interface WatchedLife {
  readonly hunt: SecretHunt;
  readonly traces: readonly Trace[];
  /**
   * @param options.shows what this command is for showing or being shown, where that is a secret: its output, the
   *   command line it was started with
   * @param options.meanwhile what a person does while it runs
   */
  agent(args: readonly string[], options?: WatchedOptions): Promise<AgentResult>;
  /** The same on a terminal. */
  terminal(args: readonly string[], typed: readonly Typed[]): Promise<TerminalResult>;
  /** Anything else that was said somewhere, such as the log of a gateway. */
  keep(place: string, text: string): void;
  /** Looks at the files once more. */
  lookAtFiles(): void;
  remove(): void;
}

export interface WatchedOptions {
  stdin?: string;
  env?: Readonly<Record<string, string>>;
  shows?: "stdout" | "argv";
  meanwhile?: (running: RunningAgent) => Promise<unknown>;
}

/** Files that are there to hold secrets: the store, the configuration (written by the test), the runtime file. */
const keptSecret = [/^\.config\/onedoor\/secrets\//u, /\/mcp\.json$/u, /\/server\.json$/u];

export function watchLife(home: Home): WatchedLife {
  const hunt = new SecretHunt();
  const traces: Trace[] = [];
  const files = new Map<string, string>();
  const browser = installBrowser();

  const lookAtFiles = (): void => {
    for (const entry of readdirSync(home.folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      const name = relative(home.folder, file);
      const text = readFileSync(file);
      // A draft of a moment may hold nothing yet.
      const isStored = name.startsWith(".config/onedoor/secrets/") && !name.endsWith(".draft");
      if (isStored) addStored(text.toString("utf8"), hunt);
      if (keptSecret.some((pattern) => pattern.test(name))) continue;
      // The same again tells nothing new.
      const content = text.toString("latin1");
      if (files.get(name) === content) continue;
      files.set(name, content);
      traces.push({ place: name, text });
    }
  };
  const keep = (place: string, text: string): void => {
    traces.push({ place, text: Buffer.from(text) });
  };
  const look = (): void => {
    lookAtFiles();
    for (const code of browser.takeCodes()) hunt.add("an authorization code", code);
  };
  return {
    hunt,
    traces,
    keep,
    lookAtFiles,
    async agent(args, { stdin, env, shows, meanwhile } = {}) {
      const running = startAgent(args, {
        home,
        env: { ...browser.env, ...env },
        ...(stdin !== undefined && { stdin: { text: stdin } }),
      });
      const [result, commandLines] = await Promise.all([
        running.ended,
        watchProcesses(running.pid, running.ended),
        meanwhile?.(running),
      ]);
      const what = `agent ${shows === "argv" ? args.slice(0, 2).join(" ") : args.join(" ")}`;
      if (shows !== "argv") {
        for (const { place, text } of commandLines)
          traces.push({ place: `${what}: ${place}`, text });
      }
      if (shows !== "stdout") keep(`${what}: stdout`, result.stdout);
      keep(`${what}: stderr`, result.stderr);
      look();
      return result;
    },
    async terminal(args, typed) {
      const person = { folder: home.folder, env: { ...home.env, ...browser.env } };
      const result = await agentOnTerminal(person, args, typed);
      keep(`agent ${args.join(" ")}: terminal`, result.shown);
      look();
      return result;
    },
    remove: () => browser.remove(),
  };
}

function addStored(text: string, hunt: SecretHunt): void {
  const decoded = decodeCredential(text.replace(/\n$/u, ""));
  if (decoded === undefined) throw new Error("a secret that cannot be read");
  for (const secret of secretsOf(decoded.credential)) hunt.add("a stored secret", secret);
}

/** A browser whose person signs in, and that remembers, outside the home, where it was sent back to. */
function installBrowser(): {
  env: Readonly<Record<string, string>>;
  takeCodes: () => string[];
  remove: () => void;
} {
  const folder = mkdtempSync(join(tmpdir(), "onedoor-browser-"));
  const visits = join(folder, "visits");
  const player = fileURLToPath(new URL("../../fixtures/play-browser.mjs", import.meta.url));
  const program = join(folder, "browser.mjs");
  writeFileSync(
    program,
    `import { appendFileSync } from "node:fs";
import { playBrowser } from ${JSON.stringify(player)};
const { url } = await playBrowser(process.argv[2]);
appendFileSync(${JSON.stringify(visits)}, url + "\\n");
`,
  );
  const file = join(folder, "xdg-open");
  writeFileSync(file, `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`);
  chmodSync(file, 0o755);
  const path = [folder, dirname(process.execPath), "/usr/bin", "/bin"].join(":");
  return {
    env: { PATH: path, DISPLAY: ":0" },
    takeCodes: () =>
      existsSync(visits)
        ? [...readFileSync(visits, "utf8").matchAll(/[?&]code=([^&\s]+)/gu)].map(
            ([, code = ""]) => code,
          )
        : [],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
