export interface IdleWatch {
  /** Something was just begun or finished. */
  used(): void;
  stop(): void;
}

/**
 * Calls `onIdle` once nothing was used for a while. A use costs no timer: the one that runs looks, when it
 * fires, how long ago the last was.
 */
export function watchIdleness(options: {
  limitMs: number;
  isBusy: () => boolean;
  onIdle: () => void;
}): IdleWatch {
  let usedAtMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const leftMs = options.isBusy()
      ? options.limitMs
      : usedAtMs + options.limitMs - performance.now();
    // A timer may fire a fraction of a millisecond early.
    if (leftMs < 1) options.onIdle();
    else arm(leftMs);
  };
  const arm = (ms: number): void => {
    timer = setTimeout(look, Math.ceil(ms));
    timer.unref();
  };
  arm(options.limitMs);
  return {
    used() {
      usedAtMs = performance.now();
    },
    stop() {
      clearTimeout(timer);
    },
  };
}
