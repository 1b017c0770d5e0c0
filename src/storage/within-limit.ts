import { AppError } from "../core/errors.ts";

/**
 * Waits for `work` no longer than `limitMs`. The signal tells the work that nobody waits any more; its later
 * failure is nobody's.
 * @throws what `work` throws; AppError `store_unavailable` at the limit
 */
export async function withinLimit<T>(
  limitMs: number,
  work: (giveUp: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new AppError(
        "store_unavailable",
        "The gateway's database did not answer in time",
      );
      controller.abort(error);
      reject(error);
    }, limitMs);
  });
  try {
    return await Promise.race([work(controller.signal), limit]);
  } finally {
    clearTimeout(timer);
  }
}
