import { scrypt, timingSafeEqual } from "node:crypto";
import { AppError } from "../../core/errors.ts";
import { createHashingTurns } from "./hashing-turns.ts";
import { newPasswordFault, normalPassword } from "./password-rules.ts";
import { readScryptText, scryptMemoryBytes, scryptText } from "./scrypt-text.ts";
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
   * @throws AppError `rate_limited`
   */
  verify(password: string, stored: string | null): Promise<boolean>;
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
/** Of the four threads that Node has for such work, so that two are left for files and names. */
const maxRunning = 2;
/** About 6 s of waiting. */
const maxWaiting = 32;

export function createPasswordHashes(options: PasswordHashesOptions): PasswordHashes {
  const { randomBytes, cost = standardCost } = options;
  const turns = createHashingTurns({ maxRunning, maxWaiting });
  /** The password of nobody: it is compared where there is none, and never accepted. */
  const nobody = { cost, salt: randomBytes(saltBytes), key: randomBytes(keyBytes) };
  return {
    async hash(password) {
      const fault = newPasswordFault(password);
      if (fault !== undefined) throw new AppError("usage", fault);
      const salt = randomBytes(saltBytes);
      const key = await turns.take(() => derive({ password, salt, cost, size: keyBytes }));
      return scryptText({ cost, salt, key });
    },
    async verify(password, stored) {
      const known = stored === null ? undefined : readScryptText(stored);
      const { salt, key, cost: itsCost } = known ?? nobody;
      const shown = await turns.take(() =>
        derive({ password, salt, cost: itsCost, size: key.length }),
      );
      return timingSafeEqual(shown, key) && known !== undefined;
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
