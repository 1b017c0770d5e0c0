import type { Configuration } from "../../core/configuration.ts";

/** One sentence on who can get in, and how: the first line of the gateway's log. */
export function whoGetsIn(
  { auth, externalUrl }: Pick<Configuration, "auth" | "externalUrl">,
  { owner, loopback }: { owner: string; loopback: boolean },
): string {
  const from = loopback && externalUrl === undefined ? "on this machine" : "that can reach it";
  const ways = auth.map((entry) => {
    switch (entry.type) {
      case "local":
        return `the user ${owner} on this machine, with a token from "agent auth login"`;
      case "token": {
        const count =
          entry.tokens.length === 1 ? "the token" : `one of the ${entry.tokens.length} tokens`;
        return `every program ${from} and shows ${count} of the configuration`;
      }
      case "none":
        return "everybody on this machine, without any sign-in";
    }
  });
  return `Who gets in: ${ways.join("; ")}`;
}
