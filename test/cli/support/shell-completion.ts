import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { bashCompletion } from "../../../src/cli/completion/bash-completion.ts";
import { completionModel } from "../../../src/cli/completion/completion-model.ts";
import { fishCompletion } from "../../../src/cli/completion/fish-completion.ts";
import { zshCompletion } from "../../../src/cli/completion/zsh-completion.ts";
import { commandGroups, commandTable } from "../../../src/cli/table.ts";

const commands = await completionModel(commandTable, commandGroups);
const run = promisify(execFile);

/** Asks the shell itself what it would offer after these words. */
export const shells = {
  async bash(words: readonly string[]): Promise<string[]> {
    const script = `${bashCompletion(commands)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _onedoor_agent; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return offered("bash", ["--norc", "-c", script, "bash", ...words]);
  },
  async zsh(words: readonly string[]): Promise<string[]> {
    // What shows the choices works only on a terminal; what makes them does not need one.
    const script = `compdef() { : }
${zshCompletion(commands)}
_describe() { [[ $1 == -o ]] && shift; local -a rows; rows=("\${(@P)2}"); print -rl -- "\${(@)rows%%:*}" }
compadd() { shift; print -rl -- "$@" }
_files() { print -r -- "<files>" }
words=("$@"); CURRENT=$#; _onedoor_agent`;
    const all = await offered("zsh", ["-f", "-c", script, "zsh", ...words]);
    return all.filter((word) => word.startsWith(words.at(-1) ?? "") || word === "<files>");
  },
  async fish(words: readonly string[]): Promise<string[]> {
    const script = `${fishCompletion(commands)}\ncomplete -C (string join ' ' -- $argv)`;
    const all = await offered("fish", ["--no-config", "-c", script, "--", ...words]);
    return all.map((line) => line.split("\t")[0] ?? "");
  },
};

async function offered(shell: string, args: readonly string[]): Promise<string[]> {
  const { stdout } = await run(shell, args);
  return stdout.split("\n").filter((line) => line !== "");
}

/** What every shell offers; the shell itself is asked, and must be there. */
export function describeCompletion(shell: keyof typeof shells): void {
  describe.each([shell])("%s", (name) => {
    const complete = (...words: string[]): Promise<string[]> => shells[name](words);

    it("offers commands and groups", async () => {
      const top = [...new Set(commandTable.map(({ path }) => path[0] ?? ""))];
      expect((await complete("agent", "")).toSorted()).toEqual(
        top.toSorted((a, b) => a.localeCompare(b)),
      );
      expect(await complete("agent", "ins")).toEqual(["inspect", "instructions"]);
      expect((await complete("agent", "auth", "")).toSorted()).toEqual(
        ["login", "logout", "refresh", "status", "switch", "token", "whoami"].toSorted(),
      );
    });

    it("offers the options of the command it stands at", async () => {
      expect(await complete("agent", "auth", "login", "--sto")).toEqual(["--store"]);
      expect(await complete("agent", "serve", "--sto")).toEqual(["--stop"]);
      expect(await complete("agent", "serve", "--ann")).toEqual([]);
    });

    it("offers the choices of an option and of an argument", async () => {
      const stores = await complete("agent", "auth", "login", "--store", "");
      expect(stores.toSorted()).toEqual(["file", "keychain"]);
      expect((await complete("agent", "completion", "")).toSorted()).toEqual([
        "bash",
        "fish",
        "zsh",
      ]);
    });

    it("takes an option's value for no command", async () => {
      expect(await complete("agent", "--profile", "auth", "ins")).toEqual([
        "inspect",
        "instructions",
      ]);
    });
  });
}
