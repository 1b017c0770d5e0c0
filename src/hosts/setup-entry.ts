import { basename } from "node:path/win32";
import type { Json, JsonObject } from "../core/json.ts";

/** A program and its words. */
export interface SetupCommand {
  command: string;
  args: string[];
}

/** How this program was started: Node's file and the script's, both absolute. */
export interface OwnProgram {
  node: string;
  script: string;
}

const packageName = "@onedoor/agent";

/** What npx, pnpm dlx and yarn dlx fetch for one run stands in such a folder, and may be gone tomorrow. */
const passing = /[\\/](?:_npx|dlx|dlx-[^\\/]*|xfs-[^\\/]*)[\\/]/u;

/** Whether the program is where it stays. */
export function isInstalled({ script }: OwnProgram): boolean {
  return !passing.test(script);
}

/**
 * The command that a client starts. A project's file is shared, so it names the package, which npx finds on every
 * machine; a user's names Node and the script by their paths, for a program with a window has no `PATH` of a shell.
 * @param options of `agent proxy`
 */
export function proxyCommand(
  program: OwnProgram | undefined,
  options: readonly string[],
  platform: NodeJS.Platform,
): SetupCommand {
  const words = ["proxy", ...options];
  if (program !== undefined) return { command: program.node, args: [program.script, ...words] };
  const npx = ["-y", packageName, ...words];
  // npx is a batch file there, which only its shell can start.
  return platform === "win32"
    ? { command: "cmd", args: ["/c", "npx", ...npx] }
    : { command: "npx", args: npx };
}

/** Whether an entry starts this program with `proxy`, in any form that `proxyCommand` writes or people write by hand. */
export function startsOurProxy(entry: JsonObject): boolean {
  const { command, args } = entry;
  if (typeof command !== "string" || !Array.isArray(args)) return false;
  const words = [command, ...args.filter(isText)];
  if (words.length !== args.length + 1) return false;
  if (/^cmd(?:\.exe)?$/iu.test(basename(command)) && /^\/c$/iu.test(words[1] ?? "")) {
    words.splice(0, 2);
  }
  const [program = "", ...rest] = words;
  const name = basename(program).replace(/\.(?:cmd|exe|ps1)$/iu, "");
  if (name === "agent" || name === "onedoor") return rest[0] === "proxy";
  if (name === "npx") {
    const named = rest.findIndex((word) => !word.startsWith("-"));
    return isOurPackage(rest[named]) && rest[named + 1] === "proxy";
  }
  return /[\\/]dist[\\/]main\.js$/u.test(rest[0] ?? "") && rest[1] === "proxy";
}

/**
 * The members of an entry that setup does not write, as they stand there: a variable, a folder or a file of variables
 * makes another program of the same command.
 */
export function strangeMembers(entry: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(entry).filter(([key, value]) => {
      if (key === "command" || key === "args") return false;
      return !(key === "type" && value === "stdio");
    }),
  );
}

function isOurPackage(word: string | undefined): boolean {
  return word === packageName || word?.startsWith(`${packageName}@`) === true;
}

function isText(value: Json): value is string {
  return typeof value === "string";
}
