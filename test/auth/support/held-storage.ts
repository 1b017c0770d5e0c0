import type { Storage } from "../../../src/core/storage.ts";

export interface HeldStorage extends Storage {
  /** Lets no transaction begin until the function returned is called. */
  hold(): () => void;
}

export function createHeldStorage(inner: Storage): HeldStorage {
  let open: Promise<void> = Promise.resolve();
  return {
    ...inner,
    async withPrincipal(principal, work) {
      await open;
      return inner.withPrincipal(principal, work);
    },
    hold() {
      let release: (() => void) | undefined;
      open = new Promise((resolve) => (release = resolve));
      return () => release?.();
    },
  };
}
