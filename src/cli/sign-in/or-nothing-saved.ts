import { UntrustedCertificate } from "../../client/connection-failure.ts";
import { UnusableAnswer } from "../../client/http-json.ts";
import { AppError } from "../../core/errors.ts";
import type { Profiles } from "../../profiles/open-profiles.ts";
import type { ProfileKey } from "../../profiles/profile.ts";

/** Where a sign-in would be kept. */
export interface Ring {
  key: ProfileKey;
  profiles: Profiles;
  /** What helps where the server cannot be asked, better than what the failure itself says. */
  hint?: () => string | undefined;
}

/** Does what may fail before anything is saved, and says that then. */
export async function orNothingSaved<T>(work: () => Promise<T>, of: Ring): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // What is wrong with the command line was never going to be saved.
    if (!(error instanceof AppError) || error.code === "usage") throw error;
    // Where the certificate is not trusted, or another address is meant, a token saved unproved is of no use either.
    const useless = error instanceof UntrustedCertificate || error instanceof UnusableAnswer;
    const away = !useless && (error.code === "unreachable" || error.code === "timeout");
    throw new AppError(error.code, `${error.message}; ${await nothingSaved(of)}`, {
      hint:
        (away ? of.hint?.() : undefined) ?? error.hint ?? (away ? "Check the address" : undefined),
      retryAfterSeconds: error.retryAfterSeconds,
      cause: error,
    });
  }
}

/** What became of the profile, for the end of a message. */
export async function nothingSaved({ key, profiles }: Ring): Promise<string> {
  const earlier = await profiles.find(key.url, key.name).catch(() => undefined);
  return earlier === undefined
    ? "nothing saved"
    : "nothing saved, the earlier profile is unchanged";
}
