import { AppError } from "../core/errors.ts";
import { oneLine } from "../core/terminal-text.ts";

/*
 * One answer each for what never was, what is deleted, and what is there for others: the words depend on nothing
 * but the ids that were asked for.
 */

export function noOrganization(id: string): AppError {
  return new AppError("not_found", `There is no organisation ${quoted(id)}`, {
    hint: "agent org list",
  });
}

export function noUser(id: string): AppError {
  return new AppError("not_found", `There is no user ${quoted(id)}`, { hint: "agent user list" });
}

export function noMember(
  key: { organizationId: string; userId: string },
  hint = "agent member list",
): AppError {
  return new AppError(
    "not_found",
    `${quoted(key.userId)} is no member of ${quoted(key.organizationId)}`,
    { hint },
  );
}

export function noToken(id: string): AppError {
  return new AppError("not_found", `There is no token ${quoted(id)}`, {
    hint: "agent token list",
  });
}

const quoted = (id: string): string => `"${oneLine(id, 100)}"`;
