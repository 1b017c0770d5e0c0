import { setMaxListeners } from "node:events";
import { AppError } from "../../core/errors.ts";
import type { Check, Finding } from "./check.ts";
import type { Ground } from "./ground.ts";

/** One check must not use up the time of the command. */
const limitMs = 10_000;

/**
 * Runs all checks at once, each within a time of its own, and gives what they found in their order. One that hangs or
 * breaks is a line of its own.
 */
export async function runChecks(
  checks: readonly Check[],
  ground: Ground,
  { ms = limitMs }: { ms?: number } = {},
): Promise<Finding[]> {
  // Each check listens, and what it asks.
  setMaxListeners(0, ground.context.deadline.signal);
  const found = await Promise.all(checks.map((check) => runCheck(check, ground, ms)));
  return found.flat();
}

async function runCheck(check: Check, ground: Ground, ms: number): Promise<readonly Finding[]> {
  const { signal: command } = ground.context.deadline;
  const controller = new AbortController();
  const { signal } = controller;
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("the time is over")), { once: true });
  });
  const end = (): void => {
    controller.abort(new DOMException("The time is over", "TimeoutError"));
  };
  if (command.aborted) end();
  else command.addEventListener("abort", end, { once: true });
  // It keeps the process, whatever the check waits for.
  const timer = setTimeout(end, ms);
  try {
    return [await Promise.race([check.look(ground, signal), late])].flat();
  } catch (error) {
    // Whoever interrupted the command waits for no lines.
    ground.context.signal.throwIfAborted();
    return [failed(check.name, signal.aborted, error)];
  } finally {
    clearTimeout(timer);
    command.removeEventListener("abort", end);
  }
}

function failed(name: string, isLate: boolean, error: unknown): Finding {
  if (isLate) return { name, state: "fail", message: "This took too long to find out" };
  if (error instanceof AppError) {
    return { name, state: "fail", message: error.message, mend: error.hint };
  }
  const kind = error instanceof Error ? error.name : typeof error;
  return { name, state: "fail", message: `This could not be found out (${kind})` };
}
