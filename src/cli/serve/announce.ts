import { toAppError } from "../../core/errors.ts";
import type { Announcement } from "./serve-background.ts";

/**
 * Runs a gateway that was started by `--background` and tells the command that waits for it how the start
 * went. That command goes away after it.
 */
export async function announcing(
  run: (onReady: (urls: readonly string[], troubles: readonly string[]) => void) => Promise<void>,
): Promise<void> {
  try {
    await run((_urls, troubles) => {
      announce({ ready: true, troubles });
    });
  } catch (error) {
    announce(toAppError(error).toBody());
    throw error;
  }
}

/** The other end may be gone: the gateway runs all the same, and its error is in the log. */
function announce(announcement: Announcement): void {
  if (!process.connected) return;
  process.send?.(announcement, undefined, undefined, () => {
    if (process.connected) process.disconnect();
  });
}
