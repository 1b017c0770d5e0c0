import { setTimeout as delay } from "node:timers/promises";
import type { Deadline } from "../../client/deadline.ts";
import { AppError } from "../../core/errors.ts";
import { systemErrorCode } from "../../core/system-error-code.ts";
import { isProcessAlive, processStart } from "../../runtime/process-start.ts";
import { readRuntimeFile } from "../../runtime/runtime-file.ts";
import type { RuntimeRecord } from "../../runtime/runtime-record.ts";

export type StopOutcome =
  | { kind: "stopped"; record: RuntimeRecord }
  /** None was running; `reason` says why a runtime file that is there does not count. */
  | { kind: "none"; reason?: string };

const lookEveryMs = 25;

/**
 * Ends the gateway of a state directory as SIGTERM does, and waits until its process is gone.
 * @throws AppError `timeout` when it is still there when the deadline is over; the reason of another abort
 */
export async function stopGateway(
  stateDir: string,
  deadline: Pick<Deadline, "signal" | "timeoutMs">,
): Promise<StopOutcome> {
  const found = await readRuntimeFile(stateDir);
  if (found.kind === "absent") return { kind: "none" };
  if (found.kind === "stale") return { kind: "none", reason: found.reason };
  if (found.kind === "untrusted") return { kind: "none", reason: `it ${found.reason}` };
  const { record } = found;
  askToEnd(record.pid);
  for (;;) {
    const now = await readRuntimeFile(stateDir);
    // The file goes before the process does; without it only the pid tells.
    if (now.kind === "running" ? now.record.pid !== record.pid : await hasEnded(record.pid)) {
      return { kind: "stopped", record };
    }
    if (isOver(deadline.signal)) {
      throw new AppError(
        "timeout",
        `The gateway (process ${record.pid}) has not ended within ${deadline.timeoutMs / 1000} s`,
        { hint: `kill -KILL ${record.pid}` },
      );
    }
    deadline.signal.throwIfAborted();
    // The reason of an abort is looked at above.
    await delay(lookEveryMs, undefined, { signal: deadline.signal }).catch(() => undefined);
  }
}

/** Whether the time is over, and not the command ended by somebody. */
function isOver({ reason }: AbortSignal): boolean {
  return reason instanceof AppError && reason.code === "timeout";
}

/** That it has ended by itself in the meantime is as good. */
function askToEnd(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch (error) {
    if (systemErrorCode(error) !== "ESRCH") throw error;
  }
}

/** A zombie that nobody has waited for has ended as well. */
async function hasEnded(pid: number): Promise<boolean> {
  return !isProcessAlive(pid) || (await processStart(pid)) === undefined;
}
