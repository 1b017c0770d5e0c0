import type { RequestId } from "../core/json-rpc.ts";

/** Whether this is the id that we gave; some servers turn the number into text. */
export function isSameId(id: unknown, ours: RequestId): boolean {
  return id === ours || (typeof id === "string" && id === String(ours));
}
