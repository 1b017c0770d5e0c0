import { AppError } from "../../../core/errors.ts";
import { profileId } from "../../../profiles/profile-id.ts";
import { loginHint } from "../../login-hint.ts";
import type { Check, Finding } from "../check.ts";
import type { Ground } from "../ground.ts";

/** Reading, writing (an entry of its own, which is removed again) and whether what is registered is there. */
export const keychainCheck: Check = {
  name: "keychain",
  async look(ground) {
    const name = "keychain";
    const own = ground.survey.profiles.filter(({ store }) => store === "keychain");
    const needed = own.length > 0;
    const mend = own[0] ? `${loginHint(own[0])} --store file` : "agent auth login --store file";
    const keychain = await ground.keychain();
    const state = await keychain.state();
    if (state.kind === "absent") {
      return needed
        ? {
            name,
            state: "fail",
            message: `There is none here (${state.reason}), and ${own.length} of the profiles keep their token in one`,
            mend,
          }
        : {
            name,
            state: "ok",
            message: `There is none here (${state.reason}); tokens are kept in files for you alone`,
          };
    }
    if (state.kind === "mute") {
      return { name, state: "fail", message: `It does not answer: ${state.reason}`, mend };
    }
    if (state.locked) return { name, state: "fail", message: "It is locked: unlock it", mend };
    try {
      await keychain.tryOut();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { name, state: "fail", message: "It takes no entry, or does not give it back", mend };
    }
    return [
      { name, state: "ok", message: "An entry was written, read and removed again" },
      await registered(ground),
    ];
  },
};

/** Keychains do not say what they hold: each id that may have an entry is asked for. */
async function registered(ground: Ground): Promise<Finding> {
  const { profiles, registeredIds } = ground.survey;
  const keychain = await ground.keychain();
  const known = new Set(
    profiles.filter(({ store }) => store === "keychain").map((profile) => profileId(profile)),
  );
  let orphans = 0;
  for (const id of registeredIds) {
    if (!known.has(id) && (await keychain.get(id)) !== undefined) orphans += 1;
  }
  return orphans === 0
    ? { name: "keychain", state: "ok", message: `${known.size} tokens of profiles, and no other` }
    : {
        name: "keychain",
        state: "warn",
        message: `${orphans} of its tokens belong to no profile; to remove them is to sign out of everything`,
        mend: "agent auth logout --all",
      };
}
