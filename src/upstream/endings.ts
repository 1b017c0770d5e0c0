import { UnderWay } from "../core/under-way.ts";

/** Ends that are under way, so that the end of everything can wait for them. */
export function createEndings(): { add(ending: Promise<unknown>): void; all(): Promise<void> } {
  const underWay = new UnderWay<Promise<unknown>>();
  return {
    add(ending) {
      const settled = ending.then(
        () => undefined,
        () => undefined,
      );
      underWay.add(settled);
      void settled.finally(() => underWay.delete(settled));
    },
    async all() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
