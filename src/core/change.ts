import type { JsonObject } from "./json.ts";

export const changedEntities = [
  "organization",
  "user",
  "member",
  "token",
  "server",
  "tool",
  "purge",
] as const;
export type ChangedEntity = (typeof changedEntities)[number];

/** One applied change, written in the transaction that applies it: one row of the change history. */
export interface Change {
  id: string;
  /** Milliseconds since the epoch. */
  timeMs: number;
  /**
   * What acted: `user` for people and their programs, `file` for an edited configuration, `server` for an upstream
   * server that offers something else than before.
   */
  actor: "user" | "file" | "server";
  /** Who, where a person acted. */
  userId: string | null;
  /** The organisation whose matter it is; null: the gateway's. */
  organizationId: string | null;
  entity: ChangedEntity;
  /** Of a member `organisation/user`; of a server its name; of a tool `server/tool`, of instructions the server's name. */
  entityId: string;
  action: "created" | "changed" | "deleted" | "restored" | "purged" | "approved";
  /**
   * What was there, never with a token's hash. A server's entry stands as it was written in the file, so that
   * it can be written back; who shows it hides its secrets (`redactServerEntry`).
   */
  before: JsonObject | null;
  after: JsonObject | null;
}

/** A row as it is read back. */
export interface ChangeRow extends Change {
  /** The order of writing. */
  sequence: number;
}

export interface ChangeQuery {
  /** Only rows of this organisation; undefined: of all and of the gateway. */
  organizationId?: string | undefined;
  entity?: ChangedEntity | undefined;
  entityId?: string | undefined;
  /** Rows written before this one (exclusive). */
  before?: number | undefined;
  limit: number;
}
