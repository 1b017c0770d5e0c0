import type { AppError } from "../../../core/errors.ts";
import type { Context } from "../../context.ts";

/** How long a person has to sign in, in milliseconds. */
const personsTimeMs = 5 * 60 * 1000;

/**
 * Waits for a person, outside the command's deadline.
 * @param wait is handed a signal that ends with the time, and with Ctrl-C
 * @param over what to throw when the time is over
 * @throws what `over` makes; the reason of an abort (Ctrl-C)
 */
export function withinPersonsTime<T>(
  { deadline, signal: interrupted }: Pick<Context, "deadline" | "signal">,
  over: () => AppError,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return deadline.outside(async () => {
    interrupted.throwIfAborted();
    const controller = new AbortController();
    const { signal } = controller;
    const interrupt = (): void => controller.abort(interrupted.reason);
    interrupted.addEventListener("abort", interrupt);
    const timer = setTimeout(() => controller.abort(over()), personsTimeMs);
    try {
      return await Promise.race([
        wait(signal),
        new Promise<never>((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
      ]);
    } finally {
      clearTimeout(timer);
      interrupted.removeEventListener("abort", interrupt);
    }
  });
}
