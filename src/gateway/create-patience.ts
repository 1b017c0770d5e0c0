/** Resolves when the time is over, never once it was ended before. */
export function createPatience(ms: number): { over: Promise<void>; end: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return {
    over,
    end: () => {
      clearTimeout(timer);
    },
  };
}
