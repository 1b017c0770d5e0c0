import type { ServerConfiguration } from "../core/configuration.ts";
import type { JsonObject } from "../core/json.ts";
import { definedTool } from "../core/pin-definition.ts";
import { toolAccess } from "../core/tool-access.ts";
import type { PendingChange } from "../core/tool-pin.ts";
import type { RememberedPin } from "./pin-memory.ts";
import type { Offered } from "./pinned-definition.ts";

/** What becomes of something that a server offers. */
export type Verdict =
  /** As it was pinned. */
  | { kind: "same" }
  /** It counts from now on: at first sight, or where the newest does. */
  | { kind: "taken" }
  | ({ kind: "pending" } & { change: Pick<PendingChange, "kind" | "becameWrite" | "withheld"> });

/**
 * @param isFirst whether nothing of this kind was known of the server before
 * @param isKept whether a pin of it would be remembered; what is not could change without anybody knowing
 */
export function judgeOffered(
  { pin: mode, access }: Pick<ServerConfiguration, "pin" | "access">,
  pin: RememberedPin | undefined,
  offered: Offered,
  isFirst: boolean,
  isKept: boolean,
): Verdict {
  if (!isKept) return pending("new", false, true);
  if (pin === undefined || pin.hash === null) {
    return isFirst || mode !== "block" ? { kind: "taken" } : pending("new", false, true);
  }
  if (pin.hash === offered.hash) return { kind: "same" };
  const accessOf = (definition: JsonObject | null): "read" | "write" | undefined => {
    const tool = definition === null ? undefined : definedTool(definition);
    return tool && toolAccess(access, tool);
  };
  const becameWrite =
    accessOf(pin.definition) === "read" && accessOf(offered.definition) === "write";
  if (mode === "off" && !becameWrite) return { kind: "taken" };
  return pending("changed", becameWrite, becameWrite || mode === "block");
}

function pending(kind: PendingChange["kind"], becameWrite: boolean, withheld: boolean): Verdict {
  return { kind: "pending", change: { kind, becameWrite, withheld } };
}
