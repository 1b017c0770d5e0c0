import { spawn as spawnPlain } from "node:child_process";
import type { ChildProcess, ChildProcessWithoutNullStreams } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import spawn from "cross-spawn";
import { systemErrorCode } from "../core/system-error-code.ts";
import type { UpstreamTimings } from "./timings.ts";

const onWindows = process.platform === "win32";
const pollMs = 15;

/** Groups that were started and not seen to be gone. */
const living = new Map<number, ChildProcess>();

/** The last resort when we end without `endProcessGroup`, e.g. by an uncaught error: nobody stays behind. */
export function killLivingGroups(): void {
  for (const [pid, child] of living) signalGroup(child, pid, "SIGKILL");
}

/**
 * Starts a program as the head of a process group of its own, so that what it starts in turn (`npx`
 * starts a shell that starts the server) can be ended with it. Errors arrive as its `error` event.
 */
export function startProcessGroup(program: {
  command: string;
  args: readonly string[];
  cwd?: string | undefined;
  env: Readonly<Record<string, string>>;
}): ChildProcessWithoutNullStreams {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `stdio` asks for all three pipes
  const child = spawn(program.command, [...program.args], {
    cwd: program.cwd,
    env: { ...program.env },
    stdio: ["pipe", "pipe", "pipe"],
    detached: !onWindows,
    windowsHide: true,
    shell: false,
  }) as ChildProcessWithoutNullStreams;
  if (child.pid !== undefined) {
    if (living.size === 0) process.on("exit", killLivingGroups);
    living.set(child.pid, child);
  }
  return child;
}

/**
 * Ends a process and everything it started: closes its standard input, then SIGTERM and at last
 * SIGKILL to the group, each with a bounded wait. Resolves when they are gone or cannot be waited for
 * any longer; never rejects. To be called once for each process, soon after its exit at the latest:
 * later its number may belong to somebody else.
 */
export async function endProcessGroup(
  child: ChildProcess,
  timings: Pick<UpstreamTimings, "stdinGraceMs" | "termGraceMs" | "killGraceMs">,
): Promise<void> {
  const { pid } = child;
  if (pid !== undefined) {
    const isAlive = watchGroup(child, pid);
    child.stdin?.end();
    await until(() => hasExited(child), timings.stdinGraceMs);
    if (isAlive()) {
      signalGroup(child, pid, "SIGTERM");
      await until(() => !isAlive(), timings.termGraceMs);
    }
    if (isAlive()) {
      signalGroup(child, pid, "SIGKILL");
      await until(() => !isAlive(), timings.killGraceMs);
    }
    living.delete(pid);
    if (living.size === 0) process.off("exit", killLivingGroups);
  }
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** A function that says whether the process or anything in its group still runs. */
function watchGroup(child: ChildProcess, pid: number): () => boolean {
  let members: string[] = [];
  return () => {
    if (onWindows) return !hasExited(child);
    try {
      process.kill(-pid, 0);
    } catch (error) {
      // EPERM: there is somebody, whom we may not signal. ESRCH: nobody.
      return systemErrorCode(error) === "EPERM";
    }
    // Everything left may have ended and only wait for its adoptive parent to take note. In a container
    // process 1 often never does, and then the group would seem alive for ever.
    if (!hasExited(child) || process.platform !== "linux") return true;
    // Going through all processes takes long: only those seen before are asked, while one of them runs.
    members = members.filter((member) => runsIn(pid, member));
    if (members.length > 0) return true;
    try {
      members = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && runsIn(pid, name));
    } catch {
      return true;
    }
    return members.length > 0;
  };
}

/** Whether a process is in the group and has not ended. */
function runsIn(group: number, pid: string): boolean {
  const fields = statFields(pid);
  return fields !== undefined && Number(fields[2]) === group && fields[0] !== "Z";
}

/** proc_pid_stat(5) from the state on, behind the name, which may hold anything: state, parent, group. */
function statFields(pid: string): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function signalGroup(child: ChildProcess, pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  if (onWindows) {
    // Windows knows no groups; /T ends the tree. It is no program of ours that a server could replace.
    const flags = signal === "SIGKILL" ? ["/T", "/F"] : ["/T"];
    spawnPlain("taskkill", ["/pid", String(pid), ...flags], { stdio: "ignore" }).on(
      "error",
      () => void child.kill(signal),
    );
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // It ended in between, or belongs to another user by now; both are seen by the next look.
  }
}

async function until(condition: () => boolean, limitMs: number): Promise<void> {
  // Counted, not timed by a clock: the bound holds when the machine is busy or its clock is set.
  for (let waited = 0; waited < limitMs && !condition(); waited += pollMs) await pause(pollMs);
}
