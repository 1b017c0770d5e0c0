import { spawn } from "node:child_process";
import { quoteForShell } from "../../../src/core/shell-quote.ts";
import { mainFile } from "./agent.ts";
import type { Home } from "./home.ts";

export interface TerminalResult {
  /** All that the terminal showed. */
  shown: string;
  code: number;
  /** Whether the terminal shows what is typed, reads lines, and makes a signal of Ctrl-C. */
  isRestored: boolean;
}

/** What is typed once the question stands there: keys, or whatever is to happen between them. */
export type Typed = readonly [
  question: string,
  keys: string | ((type: (keys: string) => void) => void),
];

/**
 * Runs the program on a terminal of its own (util-linux's script gives it one), and `stty` after it.
 * @param typed each when the question before it stands there
 * @param more variables in place of those of a plain terminal
 */
export function agentOnTerminal(
  home: Pick<Home, "env" | "folder">,
  args: readonly string[],
  typed: readonly Typed[],
  more: Readonly<Record<string, string>> = {},
): Promise<TerminalResult> {
  const program = [process.execPath, mainFile, ...args].map(quoteForShell).join(" ");
  // Ctrl-C is for the program alone: the shell goes on.
  const command = `trap : INT; ${program}; echo "ended with $?"; stty -a`;
  const env = { ...home.env, NO_COLOR: "1", TERM: "dumb", ...more };
  const child = spawn("script", ["-qec", command, "/dev/null"], { env, cwd: home.folder });
  const type = (text: string): void => void child.stdin.write(text);
  const left = [...typed];
  let shown = "";
  let answered = 0;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    shown += chunk;
    const [next] = left;
    if (next === undefined || !shown.includes(next[0], answered)) return;
    answered = shown.length;
    left.shift();
    const [, keys] = next;
    if (typeof keys === "string") type(keys);
    else keys(type);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      const [, code = "", modes = ""] = /ended with (\d+)(.*)$/su.exec(shown) ?? [];
      const isRestored = [/(?<!-)\becho\b/u, /(?<!-)\bicanon\b/u, /(?<!-)\bisig\b/u].every((mode) =>
        mode.test(modes),
      );
      resolve({ shown, code: Number(code), isRestored });
    });
  });
}
