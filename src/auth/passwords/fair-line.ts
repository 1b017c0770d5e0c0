/** A line of which everybody has the same share, however many each sends into it. */
export interface FairLine<Item> {
  /**
   * Puts one at its end. In a full line whoever has the most in it loses the last of them, as long as this leaves it
   * no fewer than the newcomer then has.
   * @returns false: there is no place for it
   */
  add(share: string, item: Item): boolean;
  /** Takes one out: the shares have their turns one after the other, each with its first. */
  next(): Item | undefined;
}

/** @param drop told of what loses its place */
export function createFairLine<Item>(
  mostItems: number,
  drop: (item: Item) => void,
): FairLine<Item> {
  /** What waits, by share; the share whose turn is next is the first. */
  const shares = new Map<string, Item[]>();
  let size = 0;

  const largest = (): Item[] =>
    [...shares.values()].reduce<Item[]>(
      (one, other) => (other.length > one.length ? other : one),
      [],
    );

  return {
    add(share, item) {
      const own = shares.get(share) ?? [];
      if (size >= mostItems) {
        const most = largest();
        if (most.length <= own.length + 1) return false;
        const dropped = most.pop();
        size -= 1;
        if (dropped !== undefined) drop(dropped);
      }
      own.push(item);
      shares.set(share, own);
      size += 1;
      return true;
    },
    next() {
      const [first] = shares;
      if (first === undefined) return undefined;
      const [share, items] = first;
      const item = items.shift();
      shares.delete(share);
      if (items.length > 0) shares.set(share, items);
      size -= 1;
      return item;
    },
  };
}
