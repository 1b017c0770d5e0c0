import type { Check } from "../check.ts";
import { gatewayBearer } from "../gateway-bearer.ts";

/** Where a gateway runs and no profile is for it: commands would say so at their first question only. */
export const signedInCheck: Check = {
  name: "profile",
  async look(ground) {
    const state = await ground.gateway();
    if (state.kind !== "running") return [];
    if ((await gatewayBearer(state.record, ground)) !== undefined) return [];
    return {
      name: "profile",
      state: "warn",
      message: "Not signed in to the running gateway",
      mend: "agent auth login",
    };
  },
};
