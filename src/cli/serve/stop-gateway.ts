import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "../../core/errors.ts";
import { isProcessAlive, processStart } from "../../runtime/process-start.ts";
import { readRuntimeFile } from "../../runtime/runtime-file.ts";
import type { RuntimeRecord } from "../../runtime/runtime-record.ts";

export type StopOutcome =
  | { kind: "stopped"; record: RuntimeRecord }
  /** None was running; `reason` says why a runtime file that is there does not count. */
  | { kind: "none"; reason?: string };

/** Calls in flight get 5 s, upstream servers as much again before they are killed; and some to spare. */
const longestStopMs = 20_000;
const lookEveryMs = 25;

/**
 * Ends the gateway of a state directory as SIGTERM does, and waits until its process is gone.
 * @throws AppError `timeout` when it is still there after the time given; what `signal` was aborted with
 */
export async function stopGateway(
  stateDir: string,
  { timeoutMs = longestStopMs, signal }: { timeoutMs?: number | undefined; signal: AbortSignal },
): Promise<StopOutcome> {
  const found = await readRuntimeFile(stateDir);
  if (found.kind === "absent") return { kind: "none" };
  if (found.kind === "stale") return { kind: "none", reason: found.reason };
  if (found.kind === "untrusted") return { kind: "none", reason: `it ${found.reason}` };
  const { record } = found;
  process.kill(record.pid, "SIGTERM");
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const now = await readRuntimeFile(stateDir);
    // The file goes before the process does; without it only the pid tells.
    if (now.kind === "running" ? now.record.pid !== record.pid : await hasEnded(record.pid)) {
      return { kind: "stopped", record };
    }
    if (performance.now() > endMs) {
      throw new AppError(
        "timeout",
        `The gateway (process ${record.pid}) has not ended within ${timeoutMs / 1000} s`,
        { hint: `kill -KILL ${record.pid}` },
      );
    }
    await delay(lookEveryMs, undefined, { signal });
  }
}

/** A zombie that nobody has waited for has ended as well. */
async function hasEnded(pid: number): Promise<boolean> {
  return !isProcessAlive(pid) || (await processStart(pid)) === undefined;
}
