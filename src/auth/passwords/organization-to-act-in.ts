import { AppError } from "../../core/errors.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { oneLine } from "../../core/terminal-text.ts";
import type { Directory } from "../directory.ts";

/**
 * In which organisation a user acts after the sign-in: the one named, or the only one there is. To be asked after the
 * password was right, since it tells of the user's memberships.
 * @throws AppError `forbidden` for a member of none, or not of the one named; `usage` when one of several must be named
 */
export function organizationToActIn(
  directory: Pick<Directory, "organizations" | "roleIn">,
  { userId, named }: { userId: string; named: string | undefined },
): string {
  const own = directory
    .organizations()
    .map(({ id }) => id)
    .filter((organizationId) => directory.roleIn({ organizationId, userId }) !== undefined);
  const [only, ...others] = own;
  if (only === undefined) {
    throw new AppError("forbidden", "You are in no organisation of this gateway", {
      hint: `An administrator can add you: agent member set ${quoteForShell(userId)} <organisation> <role>`,
    });
  }
  const list = oneLine(own.join(", "), 400);
  if (named !== undefined) {
    if (own.includes(named)) return named;
    // Whether there is one of that name is nobody's business who is not in it.
    throw new AppError("forbidden", "You are not in that organisation", { hint: `Yours: ${list}` });
  }
  if (others.length === 0) return only;
  throw new AppError("usage", `You are in several organisations: ${list}`, {
    hint: 'Name one as "organization"',
  });
}
