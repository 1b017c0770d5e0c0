import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import type { Json } from "../core/json.ts";
import type { ListKind } from "../core/mcp.ts";

/** Entries on one page of a list. */
const pageSize = 1_000;

export interface Page<Entry> {
  entries: readonly Entry[];
  nextCursor: string | undefined;
}

/**
 * One page of a list (MCP, "Pagination"). A cursor says where the next one begins, in a form that clients
 * have no reason to look into.
 * @throws RpcFault -32602 for a cursor that was not made for this list, or is past its end
 */
export function pageOf<Entry>(
  kind: ListKind,
  list: readonly Entry[],
  cursor: Json | undefined,
): Page<Entry> {
  const start = cursor === undefined ? 0 : startOf(kind, cursor);
  if (start === undefined || (start > 0 && start >= list.length)) {
    throw new RpcFault({ code: rpcCodes.invalidParams, message: "The cursor is not valid" });
  }
  const end = start + pageSize;
  return {
    entries: start === 0 && list.length <= pageSize ? list : list.slice(start, end),
    nextCursor: end < list.length ? btoa(`${kind}:${end}`) : undefined,
  };
}

function startOf(kind: ListKind, cursor: Json): number | undefined {
  if (typeof cursor !== "string" || cursor.length > 100) return undefined;
  let text: string;
  try {
    text = atob(cursor);
  } catch {
    return undefined;
  }
  const [named, start = "", ...more] = text.split(":");
  const well = named === kind && /^[1-9]\d{0,8}$/u.test(start) && more.length === 0;
  return well && Number(start) % pageSize === 0 ? Number(start) : undefined;
}
