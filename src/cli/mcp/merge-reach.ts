import type { JsonObject } from "../../core/json.ts";

/** What says how a server is reached; all else of an entry is what somebody configured for it here. */
const reach = new Set(["type", "command", "args", "cwd", "env", "inheritEnv", "url", "headers"]);

/**
 * An entry in the place of another one: how the server is reached is as the new text says, and all that was configured
 * for it here stays, whatever that text says.
 * @param options what was said on the command line itself
 */
export function mergeReach(
  present: JsonObject,
  entry: JsonObject,
  { tag, disabled }: { tag: readonly string[]; disabled: boolean } = { tag: [], disabled: false },
): { entry: JsonObject; notes: string[] } {
  const kept = Object.entries(present).filter(([key]) => !reach.has(key));
  const merged: JsonObject = Object.fromEntries([
    ...kept,
    ...Object.entries(entry).filter(([key]) => reach.has(key)),
  ]);
  const { tags } = merged;
  const known = Array.isArray(tags) ? tags : [];
  const more = [...new Set(tag)].filter((each) => !known.includes(each));
  if (more.length > 0) merged["tags"] = [...known, ...more];
  if (disabled) merged["disabled"] = true;
  const stays = kept.map(([key]) => key).filter((key) => key !== "disabled");
  const notes = stays.length === 0 ? [] : [`as it was stays its ${stays.join(", ")}`];
  return { entry: merged, notes };
}
