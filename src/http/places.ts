/** A bounded number of places, of which each address gets a few. */
export interface Places {
  /**
   * @param count how many at once, 1 where it is absent
   * @returns the function that gives them back, any number of times; undefined when there are not as many
   */
  take(address: string, count?: number): (() => void) | undefined;
}

export function createPlaces(limits: { inTotal: number; ofOne: number }): Places {
  const taken = new Map<string, number>();
  let total = 0;
  return {
    take(address, count = 1) {
      const before = taken.get(address) ?? 0;
      if (total + count > limits.inTotal || before + count > limits.ofOne) return undefined;
      taken.set(address, before + count);
      total += count;
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        total -= count;
        const left = (taken.get(address) ?? count) - count;
        if (left === 0) taken.delete(address);
        else taken.set(address, left);
      };
    },
  };
}
