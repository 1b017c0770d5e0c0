import type { OfferedTools } from "../core/configuration.ts";
import type { ConfigurationProblem } from "./configuration-problem.ts";
import type { WrittenServer } from "./configuration-schema.ts";

/** What of a server's tools is offered, with the defaults; `doubts` are allowed, and seldom meant. */
export function toOfferedTools(
  server: string,
  { tools = {} }: Pick<WrittenServer, "tools">,
): { tools: OfferedTools; doubts: ConfigurationProblem[] } {
  const { allow, deny = [], descriptions = {} } = tools;
  const path = ["mcpServers", server, "tools"];
  const doubts: ConfigurationProblem[] = [];
  if (allow?.length === 0) {
    doubts.push({
      path: [...path, "allow"],
      reason: "is empty, which offers every tool",
      hint: 'for none write "deny": ["*"]',
    });
  }
  for (const [index, glob] of (allow ?? []).entries()) {
    if (!deny.includes(glob)) continue;
    doubts.push({
      path: [...path, "allow", index],
      reason: "stands in deny as well, and deny wins",
      hint: "leave it out of one",
    });
  }
  return { tools: { allow: allow ?? [], deny, descriptions }, doubts };
}
