/** How many connections of single clients there may be. */
export interface ConnectionBudget {
  /** Takes one; undefined when there is none left. @returns the way to give it back, to be called once */
  take(): (() => void) | undefined;
}

/** @param within where one has to be left too */
export function createConnectionBudget(most: number, within?: ConnectionBudget): ConnectionBudget {
  let taken = 0;
  return {
    take() {
      if (taken === most) return undefined;
      const giveBack = within === undefined ? () => undefined : within.take();
      if (giveBack === undefined) return undefined;
      taken++;
      return () => {
        taken--;
        giveBack();
      };
    },
  };
}
