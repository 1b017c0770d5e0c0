import { join } from "node:path";
import { profileId } from "../../../profiles/profile-id.ts";
import type { Check, Finding } from "../check.ts";

const most = 20;

/** Tokens in files that no profile leads to. */
export const orphanFilesCheck: Check = {
  name: "left behind",
  look({ survey, context, shellPath }) {
    const known = new Set(survey.profiles.map((profile) => profileId(profile)));
    // The profile of one of them may be a file that is broken: nobody shall lose its token for that.
    const lost = survey.secretFileIds.filter(
      (id) => !known.has(id) && !survey.broken.some(({ path }) => path.includes(id)),
    );
    return Promise.resolve(
      lost.slice(0, most).map((id): Finding => {
        const path = shellPath(join(context.directories.config, "secrets", id));
        return {
          name: "left behind",
          state: "warn",
          message: `${path} is a token that no profile leads to`,
          mend: `rm ${path}`,
        };
      }),
    );
  },
};
