/** Whether there is a connection left; "share": there may be, but not for this principal, which has its share. */
type Room = "free" | "full" | "share";

/** How many connections of single clients there may be. */
export interface ConnectionBudget {
  /**
   * Takes one for a principal; undefined when there is none left for it.
   * @returns the way to give it back, to be called once
   */
  take(owner: string): (() => void) | undefined;
  room(owner: string): Room;
}

/**
 * @param limits in all, and of one principal, so that none has to do without because another takes them all
 * @param within where one has to be left too
 */
export function createConnectionBudget(
  limits: { most: number; mostOfOneOwner: number },
  within?: ConnectionBudget,
): ConnectionBudget {
  let taken = 0;
  const byOwner = new Map<string, number>();
  const room = (owner: string): Room => {
    const outer = within?.room(owner) ?? "free";
    if (outer === "share" || (byOwner.get(owner) ?? 0) >= limits.mostOfOneOwner) return "share";
    return taken < limits.most ? outer : "full";
  };
  const add = (owner: string, change: 1 | -1): void => {
    taken += change;
    const ofOwner = (byOwner.get(owner) ?? 0) + change;
    if (ofOwner === 0) byOwner.delete(owner);
    else byOwner.set(owner, ofOwner);
  };
  return {
    room,
    take(owner) {
      if (room(owner) !== "free") return undefined;
      const giveBack = within === undefined ? () => undefined : within.take(owner);
      if (giveBack === undefined) return undefined;
      add(owner, 1);
      return () => {
        add(owner, -1);
        giveBack();
      };
    },
  };
}
