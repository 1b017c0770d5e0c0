import type { SignInClient } from "../password-sign-in.ts";
import { addressGroup, addressNetwork } from "./address-group.ts";
import type { TurnTaker } from "./hashing-turns.ts";
import { createRecentKeys } from "./recent-keys.ts";
import type { RecentKeys } from "./recent-keys.ts";

/** From where each account was signed in to: account and address together, so that no stranger passes for a known one. */
export interface KnownClients {
  /** @param userId null: the address given is nobody's */
  takerOf(userId: string | null, client: SignInClient): TurnTaker;
  /** To be called when somebody was let in. */
  add(userId: string, client: SignInClient): void;
}

const mostUsers = 10_000;
/** Of each user, those of the last time: who has one account and many addresses makes nobody else forgotten. */
const mostAddresses = 20;

/** Held in memory alone: after a restart everybody is a stranger once. */
export function createKnownClients(): KnownClients {
  const users = createRecentKeys<RecentKeys<true>>(mostUsers);
  return {
    takerOf(userId, { address }) {
      const network = addressNetwork(address);
      const isKnown = userId !== null && users.get(userId)?.get(addressGroup(address)) === true;
      return isKnown ? { network, knownAccount: userId } : { network };
    },
    add(userId, { address }) {
      const addresses = users.get(userId) ?? createRecentKeys<true>(mostAddresses);
      addresses.set(addressGroup(address), true);
      users.set(userId, addresses);
    },
  };
}
