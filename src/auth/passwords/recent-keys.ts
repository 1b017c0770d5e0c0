/** Values of the keys that were set last. */
export interface RecentKeys<Value> {
  get(key: string): Value | undefined;
  /** Sets it as the one set last. Beyond the most there may be, those set least recently are forgotten. */
  set(key: string, value: Value): void;
  delete(key: string): void;
  readonly size: number;
}

export function createRecentKeys<Value>(mostKeys: number): RecentKeys<Value> {
  const values = new Map<string, Value>();
  return {
    get: (key) => values.get(key),
    set(key, value) {
      values.delete(key);
      values.set(key, value);
      if (values.size <= mostKeys) return;
      // Some at once: a Map that loses its first key each time grows slow to begin with.
      let surplus = Math.ceil(mostKeys / 10);
      for (const oldest of values.keys()) {
        values.delete(oldest);
        surplus -= 1;
        if (surplus <= 0) break;
      }
    },
    delete: (key) => void values.delete(key),
    get size() {
      return values.size;
    },
  };
}
