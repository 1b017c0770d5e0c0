/** A bounded number of places, of which each address gets a few. */
export interface Places {
  /** @returns the function that gives the place back, any number of times; undefined when there is none */
  take(address: string): (() => void) | undefined;
}

export function createPlaces(limits: { inTotal: number; ofOne: number }): Places {
  const taken = new Map<string, number>();
  let total = 0;
  return {
    take(address) {
      const before = taken.get(address) ?? 0;
      if (total >= limits.inTotal || before >= limits.ofOne) return undefined;
      taken.set(address, before + 1);
      total += 1;
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        total -= 1;
        const left = (taken.get(address) ?? 1) - 1;
        if (left === 0) taken.delete(address);
        else taken.set(address, left);
      };
    },
  };
}
