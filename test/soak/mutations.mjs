import { bodyMutations } from "./body-mutations.mjs";
import { headerMutations } from "./header-mutations.mjs";
import { createRightMessages } from "./right-messages.mjs";
import { trustMutations } from "./trust-mutations.mjs";

/**
 * Every way of making a message wrong, by its name.
 * @param {import("./random.mjs").Random} random
 * @param {import("./right-messages.mjs").Ground} ground
 * @returns {ReadonlyMap<string, () => import("./right-messages.mjs").Fuzz>}
 */
export function createMutations(random, ground) {
  const right = createRightMessages(random, ground);
  return new Map(
    [bodyMutations, headerMutations, trustMutations].flatMap((mutations) =>
      Object.entries(mutations(random, ground, right)),
    ),
  );
}
