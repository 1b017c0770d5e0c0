/** A map that forgets what was set first when it holds too much. */
export interface BoundedMap<Value> {
  get(key: string): Value | undefined;
  /** @param weight in the unit of the limit */
  set(key: string, value: Value, weight: number): void;
  delete(key: string): void;
  /** Forgets what was set first, and so on, up to the first that is not over. */
  dropWhile(isOver: (value: Value) => boolean): void;
  readonly size: number;
}

export function createBoundedMap<Value>(limits: {
  entries: number;
  weight: number;
}): BoundedMap<Value> {
  const entries = new Map<string, { value: Value; weight: number }>();
  let total = 0;
  const remove = (key: string): void => {
    total -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  };
  return {
    get: (key) => entries.get(key)?.value,
    set(key, value, weight) {
      remove(key);
      if (weight > limits.weight) return;
      entries.set(key, { value, weight });
      total += weight;
      for (const [oldest] of entries) {
        if (entries.size <= limits.entries && total <= limits.weight) break;
        remove(oldest);
      }
    },
    delete: remove,
    dropWhile(isOver) {
      for (const [oldest, { value }] of entries) {
        if (!isOver(value)) break;
        remove(oldest);
      }
    },
    get size() {
      return entries.size;
    },
  };
}
