import type { Configuration, StaticToken } from "../../core/configuration.ts";

/** One sentence on who can get in, and how: the first line of the gateway's log. */
export function whoGetsIn(
  { auth, externalUrl }: Pick<Configuration, "auth" | "externalUrl">,
  { owner, loopback }: { owner: string; loopback: boolean },
): string {
  const from = loopback && externalUrl === undefined ? "on this machine" : "that can reach it";
  const ways = auth.map((entry) => {
    switch (entry.type) {
      case "local":
        return `the user ${owner} on this machine, with a token from "agent auth login", and whoever shows a token from "agent token create"`;
      case "token": {
        const count =
          entry.tokens.length === 1 ? "the token" : `one of the ${entry.tokens.length} tokens`;
        return `every program ${from} with ${count} of the configuration${whatTheyMay(entry.tokens)}`;
      }
      case "none":
        return "everybody on this machine, without any sign-in";
    }
  });
  return `Who gets in: ${ways.join("; ")}`;
}

const mostNamed = 5;

/** `(2 as viewer in acme, 1 as admin)`; nothing where each may do everything. */
function whatTheyMay(tokens: readonly StaticToken[]): string {
  if (tokens.every(({ role, organizationId }) => role === "admin" && organizationId === null)) {
    return "";
  }
  const counts = new Map<string, number>();
  for (const { role, organizationId } of tokens) {
    const as = organizationId === null ? role : `${role} in ${organizationId}`;
    counts.set(as, (counts.get(as) ?? 0) + 1);
  }
  const all = [...counts].map(([as, count]) =>
    tokens.length === 1 ? `as ${as}` : `${count} as ${as}`,
  );
  const more = all.length > mostNamed ? [`and ${all.length - mostNamed} kinds more`] : [];
  return ` (${[...all.slice(0, mostNamed), ...more].join(", ")})`;
}
