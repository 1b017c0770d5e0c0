import { createRecent } from "./recent.ts";
import type { Recent } from "./recent.ts";

/** Names of what somebody else may still hold: they are small. */
const mostNamed = 500;

/**
 * Like `createRecent`, for values that take room: beyond those that were used last, one is still found for as long as
 * somebody holds it, so that there are never two of it, and is not kept for itself.
 */
export function createRecentOrHeld<Key, Value extends object>(most: number): Recent<Key, Value> {
  const recent = createRecent<Key, Value>(most);
  const held = createRecent<Key, WeakRef<Value>>(mostNamed);
  return {
    get: (key) => recent.get(key) ?? held.get(key)?.deref(),
    set(key, value) {
      recent.set(key, value);
      held.set(key, new WeakRef(value));
    },
  };
}
