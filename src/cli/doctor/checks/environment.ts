import type { Check, Finding } from "../check.ts";

const name = "environment";
/** These decide in place of what is saved. */
const winners = ["ONEDOOR_TOKEN", "ONEDOOR_URL", "ONEDOOR_PROFILE"] as const;
const saysWhat = {
  ONEDOOR_TOKEN: "is set and wins over the saved profiles",
  ONEDOOR_URL: "is set and wins over the running gateway and the default profile",
  ONEDOOR_PROFILE: "is set and chooses the profile",
} as const;

/** Variables of ours, by their names alone. */
export const environmentCheck: Check = {
  name,
  look({ context }) {
    const { all } = context.environment;
    const set = Object.keys(all)
      .filter((variable) => /^ONEDOOR_[A-Z_]{1,40}$/u.test(variable) && all[variable])
      .toSorted();
    const found = winners
      .filter((variable) => set.includes(variable))
      .map((variable): Finding => ({
        name,
        state: "warn",
        message: `${variable} ${saysWhat[variable]}`,
        mend: `unset ${variable}`,
      }));
    const others = set.filter((variable) => !winners.some((winner) => winner === variable));
    const message =
      others.length > 0 ? `Also set: ${others.join(", ")}` : "No other variable of ours is set";
    if (found.length > 0 && others.length === 0) return Promise.resolve(found);
    return Promise.resolve([...found, { name, state: "ok", message }]);
  },
};
