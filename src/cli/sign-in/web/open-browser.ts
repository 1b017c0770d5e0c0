import { spawn } from "node:child_process";
import { win32 } from "node:path";
import { isOwnVariable } from "../../../config/child-environment.ts";
import type { Environment } from "../../../config/environment.ts";

/** A name or path of one program: no arguments, no list of programs, no place for the address, no quoting. */
const plainProgram = /^(?:[a-z]:)?[\w@+,./\\-]+$/iu;

/** The program that opens an address, and what it is given; undefined where there is none to be expected. */
export function browserCommand(
  url: string,
  { named, screen, systemRoot = String.raw`C:\Windows` }: Environment["browser"],
  platform: NodeJS.Platform,
): readonly [program: string, ...args: string[]] | undefined {
  if (named !== undefined && plainProgram.test(named)) return [named, url];
  if (platform === "darwin") return ["/usr/bin/open", url];
  if (platform === "win32") {
    // By its whole path: Windows looks in the folder that the command runs in first.
    const program = win32.join(systemRoot, "System32", "rundll32.exe");
    return [program, "url.dll,FileProtocolHandler", url];
  }
  return screen ? ["xdg-open", url] : undefined;
}

/**
 * Opens an address in the person's browser: without a shell, as a process that outlives this one.
 * @param whenItFails told, once, when the program cannot be started or says that it failed, while anybody waits
 * @returns whether there was a program to start
 */
export function openBrowser(
  url: string,
  { browser, all }: Pick<Environment, "browser" | "all">,
  whenItFails: () => void,
  platform: NodeJS.Platform = process.platform,
): boolean {
  const command = browserCommand(url, browser, platform);
  if (command === undefined) return false;
  const [program, ...args] = command;
  let failed = false;
  const fail = (): void => {
    if (!failed) whenItFails();
    failed = true;
  };
  try {
    const child = spawn(program, args, {
      detached: true,
      stdio: "ignore",
      windowsHide: true,
      shell: false,
      env: Object.fromEntries(Object.entries(all).filter(([name]) => !isOwnVariable(name))),
    });
    child.on("error", fail);
    child.on("exit", (code) => {
      if (code !== 0) fail();
    });
    child.unref();
    return true;
  } catch {
    // Some are refused before they are started.
    return false;
  }
}
