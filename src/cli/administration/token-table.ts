import type { TokenRow } from "../../client/administration-answers.ts";
import type { Io } from "../context.ts";
import { detailedTable } from "../render/detailed-table.ts";
import { inLine } from "../render/foreign-text.ts";
import { fitsWidth, textTable } from "../render/text-table.ts";
import { shownDay } from "./shown-day.ts";
import { shownLimits } from "./token-scopes.ts";

type Page = Pick<Io, "foreign" | "stdoutIsTerminal" | "columns">;

/**
 * Tokens for people: a table of all, or, on a terminal too narrow for it, one in which whose a token is and what it
 * may stand below it. Ids are whole in both, since they are there to be pasted.
 * @param revoked whether these are tokens that were taken back
 */
export function tokenTable(rows: readonly TokenRow[], revoked: boolean, io: Page): string {
  const shown = rows.map((row) => cellsOf(row, revoked, io));
  const end = revoked ? "REVOKED" : "EXPIRES";
  const wide = textTable([
    ["ID", "NAME", "USER", "IN", "MAY", end],
    ...shown.map(({ id, name, user, place, may, day }) => [id, name, user, place, may, day]),
  ]);
  if (!io.stdoutIsTerminal || fitsWidth(wide, io.columns)) return wide;
  return detailedTable(
    [["ID", "NAME", end], ...shown.map(({ id, name, day }) => [id, name, day])],
    shown.map(({ user, place, may }) => `${user}${place === "-" ? "" : ` in ${place}`}: ${may}`),
    io,
    [0, 2],
  );
}

interface TokenCells {
  id: string;
  name: string;
  user: string;
  place: string;
  may: string;
  day: string;
}

function cellsOf(row: TokenRow, revoked: boolean, io: Page): TokenCells {
  // A session goes on without the password until then.
  const end = revoked ? row.revokedAt : (row.refreshExpiresAt ?? row.expiresAt);
  return {
    id: inLine(row.id, io, 100),
    name: inLine(row.name, io, 100) || "-",
    user: inLine(row.user, io, 100),
    place: inLine(row.organization ?? "-", io, 100),
    may: inLine(mayOf(row), io, 60),
    day: end === null ? "never" : shownDay(end),
  };
}

/** What a token is good for now, as far as the gateway says. */
function mayOf({ effectiveRole, ...token }: TokenRow): string {
  const { role, scopes, opens } = shownLimits(token);
  if (!opens) return scopes;
  const within = scopes === "" ? "" : ` for ${scopes}`;
  if (effectiveRole === undefined) return `${role ?? "as its user"}${within}`;
  const may = `${effectiveRole ?? "none"}${within}`;
  return role === undefined || role === effectiveRole ? may : `${may} (limited to ${role})`;
}
