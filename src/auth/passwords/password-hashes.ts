import { scrypt, timingSafeEqual } from "node:crypto";
import { AppError } from "../../core/errors.ts";
import { createHashingTurns } from "./hashing-turns.ts";
import type { TurnTaker } from "./hashing-turns.ts";
import { newPasswordFault, normalPassword } from "./password-rules.ts";
import { isCheaper, readScryptText, scryptMemoryBytes, scryptText } from "./scrypt-text.ts";
import type { ScryptCost } from "./scrypt-text.ts";

/** Passwords as they are stored: scrypt (RFC 7914) as a PHC string, `$scrypt$ln=16,r=8,p=2$<salt>$<key>`. */
export interface PasswordHashes {
  /**
   * What to store of a new password.
   * @throws AppError `usage` (too short, too long, control characters), `rate_limited` (too many hash at once)
   */
  hash(password: string): Promise<string>;
  /**
   * Whether this is the password of the stored text. Null, for whom there is no password, is false after the time a
   * wrong one takes; so is a text that is none of ours.
   * @param by for whom the waiting places are shared
   * @throws AppError `rate_limited`
   */
  verify(password: string, stored: string | null, by?: TurnTaker): Promise<boolean>;
  /**
   * Whether a stored text costs less to try passwords against than a new one would: it is to be replaced when its
   * password is known, at a sign-in. Until then a wrong one is told of sooner than that of nobody.
   */
  isOutdated(stored: string): boolean;
}

export interface PasswordHashesOptions {
  /** A cryptographic source: `node:crypto`'s. */
  randomBytes: (size: number) => Uint8Array;
  /** For new hashes; absent: what OWASP's password storage cheat sheet asks for, 64 MiB and about 0.4 s. */
  cost?: ScryptCost | undefined;
}

const standardCost: ScryptCost = { logN: 16, r: 8, p: 2 };
const saltBytes = 16;
const keyBytes = 32;
/** With the one that sets passwords, three of the four threads that Node has for such work: one is left for files and names. */
const verifying = {
  maxRunning: 2,
  /** About 6 s of waiting. */
  maxWaiting: 32,
  maxKnownWaiting: 16,
  tooMany: "Too many sign in at the same time",
};
/** Apart from those, which strangers can keep busy: an administrator sets a password all the same. */
const setting = {
  maxRunning: 1,
  maxWaiting: 8,
  maxKnownWaiting: 0,
  tooMany: "Too many passwords are being set at the same time",
};

export function createPasswordHashes(options: PasswordHashesOptions): PasswordHashes {
  const { randomBytes, cost = standardCost } = options;
  const turns = createHashingTurns(verifying);
  const settingTurns = createHashingTurns(setting);
  /** The password of nobody: it is compared where there is none, and never accepted. */
  const nobody = { cost, salt: randomBytes(saltBytes), key: randomBytes(keyBytes) };
  return {
    async hash(password) {
      const fault = newPasswordFault(password);
      if (fault !== undefined) throw new AppError("usage", fault);
      const salt = randomBytes(saltBytes);
      const key = await settingTurns.take(() => derive({ password, salt, cost, size: keyBytes }));
      return scryptText({ cost, salt, key });
    },
    async verify(password, stored, by) {
      const known = stored === null ? undefined : readScryptText(stored);
      const { salt, key, cost: itsCost } = known ?? nobody;
      const shown = await turns.take(
        () => derive({ password, salt, cost: itsCost, size: key.length }),
        by,
      );
      return timingSafeEqual(shown, key) && known !== undefined;
    },
    isOutdated(stored) {
      const known = readScryptText(stored);
      if (known === undefined) return false;
      return (
        isCheaper(known.cost, cost) || known.salt.length < saltBytes || known.key.length < keyBytes
      );
    },
  };
}

function derive({
  password,
  salt,
  cost,
  size,
}: {
  password: string;
  salt: Uint8Array;
  cost: ScryptCost;
  size: number;
}): Promise<Uint8Array> {
  const { logN, r, p } = cost;
  const limits = { N: 2 ** logN, r, p, maxmem: scryptMemoryBytes(cost) + 2 ** 20 };
  return new Promise((resolve, reject) => {
    scrypt(normalPassword(password), salt, size, limits, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
