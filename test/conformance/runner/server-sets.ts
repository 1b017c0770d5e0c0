import type { Upstream } from "./servers.ts";
import type { Revision } from "./suite.ts";

export interface ServerSet {
  title: string;
  revision: Revision;
  /** What stands behind the gateway. */
  upstream: Upstream;
  /** Scenarios that make no sense before such an upstream, and why. */
  without: Readonly<Record<string, string>>;
}

/** What the suite requires: a server of the revision, which here is one of its era behind the gateway. */
export const requiredServerSets: readonly ServerSet[] = [
  {
    title: "server 2025-11-25",
    revision: "2025-11-25",
    upstream: { era: "legacy", over: "http" },
    without: {},
  },
  {
    title: "server 2026-07-28",
    revision: "2026-07-28",
    upstream: { era: "modern", over: "http" },
    without: {},
  },
];

const noKeys = {
  "input-required-result-basic-elicitation":
    "wants the key that the server gave its question; the legacy era has none",
};
const nobodysMessages = {
  "tools-call-with-logging":
    "on one pipe, a modern server's log messages do not say whose they are",
};

/** What we require beside that: the same over the bridge between the eras, and over stdio. */
export const furtherServerSets: readonly ServerSet[] = [
  furtherSet("2025-11-25", { era: "modern", over: "http" }),
  furtherSet("2026-07-28", { era: "legacy", over: "http" }, noKeys),
  furtherSet("2025-11-25", { era: "legacy", over: "stdio" }),
  furtherSet("2026-07-28", { era: "modern", over: "stdio" }),
  furtherSet("2025-11-25", { era: "modern", over: "stdio" }, nobodysMessages),
  furtherSet("2026-07-28", { era: "legacy", over: "stdio" }, noKeys),
];

function furtherSet(
  revision: Revision,
  upstream: Upstream,
  without: ServerSet["without"] = {},
): ServerSet {
  const title = `server ${revision} before a ${upstream.era} upstream over ${upstream.over}`;
  return { title, revision, upstream, without };
}
