import { chooseProxy } from "../../../client/choose-proxy.ts";
import { AppError } from "../../../core/errors.ts";
import { addressOf } from "../../../profiles/profile.ts";
import type { Check, Finding } from "../check.ts";

const name = "proxy";

/** The way to each profile's server, as requests take it: a proxy's host and port, never who signs in to it. */
export const proxiesCheck: Check = {
  name,
  look({ context, survey }) {
    const { proxies } = context.environment;
    const targets = new Map(
      survey.profiles.map((profile) => {
        const url = new URL(addressOf(profile));
        return [url.origin, url] as const;
      }),
    );
    const findings: Finding[] = [];
    for (const [origin, url] of targets) {
      try {
        const proxy = chooseProxy(url, proxies);
        if (proxy === undefined) continue;
        const message = `${origin} is reached through ${proxy.origin} (${proxy.variable})`;
        findings.push({ name, state: "ok", message });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const variable = (url.protocol === "https:" ? proxies.https : proxies.http)?.name;
        const mend = variable === undefined ? undefined : `unset ${variable}`;
        findings.push({ name, state: "fail", message: `${origin}: ${error.message}`, mend });
      }
    }
    if (findings.length > 0) return Promise.resolve(findings);
    const message =
      targets.size === 0 ? "No server is saved to go to" : "All servers are reached without one";
    return Promise.resolve({ name, state: "ok", message });
  },
};
