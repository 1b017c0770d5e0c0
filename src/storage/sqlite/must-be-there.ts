import type { UpdateResult } from "kysely";
import { RowRefused } from "../row-refused.ts";

/** @throws RowRefused when an update found no row */
export function mustBeThere({ numUpdatedRows }: UpdateResult): void {
  if (numUpdatedRows === 0n) throw new RowRefused("there is no row with this key");
}
