export interface Listeners<Arguments extends unknown[]> {
  /** @returns the way to stop listening */
  add(listener: (...told: Arguments) => void): () => void;
  tell(...told: Arguments): void;
  clear(): void;
}

export function createListeners<Arguments extends unknown[]>(): Listeners<Arguments> {
  const listeners = new Set<(...told: Arguments) => void>();
  return {
    add(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell(...told) {
      for (const listener of listeners) listener(...told);
    },
    clear: () => listeners.clear(),
  };
}
