import { readFile } from "node:fs/promises";

/**
 * When a process started, as text that differs between two processes that were given the same pid:
 * on Linux the boot's id and the start time in clock ticks (proc_pid_stat(5), field 22). Null where
 * the kernel is not asked (other systems) or cannot say; undefined when the process has ended.
 */
export async function processStart(pid: number): Promise<string | null | undefined> {
  if (process.platform !== "linux") {
    return null;
  }
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile("/proc/sys/kernel/random/boot_id", "utf8"),
    ]);
    // The second field is the program's name in parentheses, which may itself hold both spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, ticks] = [fields[0], fields[19]];
    if (state === "Z" || state === "X") {
      return undefined;
    }
    return ticks === undefined ? null : `${boot.trim()}/${ticks}`;
  } catch {
    return null;
  }
}

/** Whether a process of this pid exists that this user may signal. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // ESRCH: there is none. EPERM: somebody else's, so the gateway of this user has ended.
    return false;
  }
}
