import type { ServerAccess } from "../core/configuration.ts";
import type { ConfigurationProblem } from "./configuration-problem.ts";
import type { WrittenServer } from "./configuration-schema.ts";

/** Who may see a server, with the defaults; `doubts` are allowed, and seldom meant. */
export function toServerAccess(
  name: string,
  { access = {}, trustHints, command }: WrittenServer,
): { access: ServerAccess; doubts: ConfigurationProblem[] } {
  const { read = [], write = [], organizations = [] } = access;
  const doubts = read.flatMap((glob, index): ConfigurationProblem[] => {
    const path = ["mcpServers", name, "access", "read", index];
    return write.includes(glob)
      ? [{ path, reason: "stands in write as well, and write wins", hint: "leave it out of one" }]
      : [];
  });
  return {
    // What runs here was chosen by who wrote the file; what a server elsewhere says of itself may change any day.
    access: { read, write, organizations, trustHints: trustHints ?? command !== undefined },
    doubts,
  };
}
