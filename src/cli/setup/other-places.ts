import { setupScopes, setupWays } from "../../hosts/setup-client.ts";
import type { SetupTarget } from "../../hosts/setup-client.ts";

/**
 * Where else setup wrote something for a client, and the command that takes it out there: who undoes seldom remembers
 * what was chosen then.
 * @param ours the file of a target, as it is shown, where what stands in it is ours
 */
export async function otherPlaces(
  { client, scope, way, name }: SetupTarget & { name?: string | undefined },
  ours: (target: SetupTarget) => Promise<string | undefined>,
): Promise<string[]> {
  const notes: string[] = [];
  for (const otherScope of setupScopes) {
    for (const otherWay of setupWays) {
      if (otherScope === scope && otherWay === way) continue;
      const file = await ours({ client, scope: otherScope, way: otherWay });
      if (file === undefined) continue;
      const words = [
        ...(otherScope === "user" ? [] : ["--scope project"]),
        ...(otherWay === "mcp" ? [] : ["--way cli"]),
        ...(otherWay === "mcp" && name !== undefined ? [`--name ${name}`] : []),
      ];
      const command = ["agent setup", client, ...words, "--undo"].join(" ");
      notes.push(`${file} has what setup wrote: ${command}`);
    }
  }
  return notes;
}
