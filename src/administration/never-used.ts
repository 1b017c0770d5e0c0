import type { ChangeQuery } from "../core/change.ts";
import type { Principal } from "../core/principal.ts";
import type { Storage } from "../core/storage.ts";
import { AlreadyExists } from "./already-exists.ts";

/**
 * An id is never given twice: audit and history of who had it before would be the new one's. The history knows each
 * that ever was, for its rows of organisations and users are never purged.
 * @throws AlreadyExists; AppError `store_unavailable`
 */
export async function requireNeverUsed(
  storage: Storage,
  by: Principal,
  what: Required<Pick<ChangeQuery, "entityId">> & { entity: "organization" | "user" },
): Promise<void> {
  const rows = await storage.withPrincipal(by, (tx) => tx.changes.list({ ...what, limit: 1 }));
  if (rows.length === 0) return;
  throw new AlreadyExists(
    `The id "${what.entityId}" was given before, and its records are kept`,
    "Choose another id",
  );
}
