import { AppError } from "../../core/errors.ts";
import type { PasswordSignIn, SignedIn } from "../password-sign-in.ts";
import { addressGroup } from "./address-group.ts";
import { createFailureBrake } from "./failure-brake.ts";
import { createLeakyBuckets } from "./leaky-buckets.ts";
import { tooManySignIns } from "./too-many-sign-ins.ts";

/** The same sign-in, slowed down where too much is tried. What is counted is counted across all that it is put around. */
export type SignInThrottle = (signIn: PasswordSignIn) => PasswordSignIn;

const mostKeys = 100_000;
/** Attempts of one address that are being decided at the same time: so it cannot take all the turns to hash. */
const mostAtOnce = 8;

/**
 * What is slowed down: failures of an account from an address, both together, so that no stranger locks a user out;
 * failures from an address, whatever the account; sign-ins of one account; refreshes from an address. Refreshes and
 * failures have nothing to do with each other: a refresh token cannot be guessed, and who has a session does not wait
 * for those who guess passwords. It is made once, and lasts through every reload.
 * @param monotonicMs milliseconds of a clock that nobody sets
 */
export function createSignInThrottle(monotonicMs: () => number): SignInThrottle {
  const common = { mostKeys, monotonicMs };
  const brake = createFailureBrake(mostKeys, monotonicMs);
  const addressFailures = createLeakyBuckets({ ...common, capacity: 200, drainMs: 3000 });
  const signIns = createLeakyBuckets({ ...common, capacity: 60, drainMs: 5000 });
  const refreshes = createLeakyBuckets({ ...common, capacity: 120, drainMs: 500 });
  const running = new Map<string, number>();

  /** @throws AppError `rate_limited` */
  const requireRoom = (address: string): void => {
    const waitMs = addressFailures.waitMs(address);
    if (waitMs !== undefined) throw tooManySignIns(waitMs);
    if ((running.get(address) ?? 0) >= mostAtOnce) throw tooManySignIns(1000);
  };
  const counted = async (address: string, work: () => Promise<SignedIn>): Promise<SignedIn> => {
    running.set(address, (running.get(address) ?? 0) + 1);
    try {
      return await work();
    } catch (error) {
      if (isFailure(error)) addressFailures.add(address);
      throw error;
    } finally {
      const left = (running.get(address) ?? 1) - 1;
      if (left === 0) running.delete(address);
      else running.set(address, left);
    }
  };

  return (signIn) => ({
    async login(credentials, client) {
      const address = addressGroup(client.address);
      const account = credentials.email.toLowerCase().slice(0, 320);
      requireRoom(address);
      const waitMs = signIns.waitMs(account);
      if (waitMs !== undefined) throw tooManySignIns(waitMs);
      const attempt = brake.begin(JSON.stringify([account, address]));
      if ("waitMs" in attempt) throw tooManySignIns(attempt.waitMs);
      try {
        const signedIn = await counted(address, () => signIn.login(credentials, client));
        signIns.add(account);
        attempt.end("succeeded");
        return signedIn;
      } catch (error) {
        attempt.end(outcomeOf(error));
        throw error;
      }
    },

    async refresh(refreshToken, client) {
      const address = addressGroup(client.address);
      const waitMs = refreshes.waitMs(address);
      if (waitMs !== undefined) throw tooManySignIns(waitMs);
      refreshes.add(address);
      return signIn.refresh(refreshToken, client);
    },
  });
}

function isFailure(error: unknown): boolean {
  return error instanceof AppError && error.code === "auth_rejected";
}

/** Whatever else goes wrong tells nothing of the password, or tells that it was right. */
function outcomeOf(error: unknown): "failed" | "undecided" {
  return isFailure(error) ? "failed" : "undecided";
}
