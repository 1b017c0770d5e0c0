// What comes and goes with each call is kept in arrays, not in a Set or Map. Those make themselves a new table every few
// additions, and V8 lets each old table point to the next one, for iterators that stand in it. Once one table is in old
// space, every later one, with all that was in it, looks alive to the collections of young garbage: whole calls were
// moved to old space, and the heap grew to a multiple of what is alive before a full collection found out.

/**
 * A Set, in the order of addition, of what is under way. Looked for from the end: what stays long (streams) is passed by
 * what comes and goes.
 */
export class UnderWay<Value> implements Iterable<Value> {
  readonly #values: Value[] = [];

  get size(): number {
    return this.#values.length;
  }

  /** @param value not in it yet */
  add(value: Value): void {
    this.#values.push(value);
  }

  /** @returns whether it was in it */
  delete(value: Value): boolean {
    const at = this.#values.lastIndexOf(value);
    if (at === -1) return false;
    this.#values.splice(at, 1);
    return true;
  }

  /** Over what is in it now: what is added or removed meanwhile changes nothing. */
  [Symbol.iterator](): IterableIterator<Value> {
    return this.#values.slice().values();
  }
}

/** A Map of the same kind. */
export class UnderWayByKey<Key, Value> {
  readonly #keys: Key[] = [];
  readonly #values: Value[] = [];

  get size(): number {
    return this.#keys.length;
  }

  get(key: Key): Value | undefined {
    const at = this.#keys.lastIndexOf(key);
    return at === -1 ? undefined : this.#values[at];
  }

  /** @param key not in it yet */
  add(key: Key, value: Value): void {
    this.#keys.push(key);
    this.#values.push(value);
  }

  /** @returns whether it was in it */
  delete(key: Key): boolean {
    const at = this.#keys.lastIndexOf(key);
    if (at === -1) return false;
    this.#keys.splice(at, 1);
    this.#values.splice(at, 1);
    return true;
  }

  /** Those that are in it now. */
  values(): Value[] {
    return this.#values.slice();
  }

  clear(): void {
    this.#keys.length = 0;
    this.#values.length = 0;
  }
}
