import { endSessions } from "../auth/passwords/end-sessions.ts";
import {
  newPasswordFault,
  newPasswordHint,
  normalPassword,
} from "../auth/passwords/password-rules.ts";
import { requireStanding } from "../auth/standing.ts";
import { AppError } from "../core/errors.ts";
import type { User } from "../core/identities.ts";
import type { Principal } from "../core/principal.ts";
import type { Administration } from "./administration.ts";
import { noUser } from "./not-found.ts";
import type { AdministrationParts } from "./parts.ts";
import { shownUser } from "./shown-user.ts";
import { requireGatewayAdministrator } from "./who-may.ts";

/** Whether users get in, and with which password. */
export function administerSignIn({
  directory,
  now,
  passwords,
}: Pick<AdministrationParts, "directory" | "now" | "passwords">): Pick<
  Administration["users"],
  "disable" | "enable" | "setPassword"
> {
  const requireUser = (id: string): User => {
    const user = directory.user(id);
    if (user?.deletedAtMs !== null) throw noUser(id);
    return user;
  };

  const livePersonalTokens = (userId: string, atMs: number): number =>
    directory
      .tokens()
      .filter(
        ({ kind, userId: of, hash, expiresAtMs }) =>
          kind === "personal" &&
          of === userId &&
          hash !== null &&
          (expiresAtMs === null || expiresAtMs > atMs),
      ).length;

  return {
    disable: (asked, id) =>
      directory.change(asked, (by) => {
        requireGatewayAdministrator(by, "Disabling a user");
        const user = requireUser(id);
        if (user.disabledAtMs !== null) return { result: shownUser(user) };
        const atMs = now();
        const disabled = { ...user, disabledAtMs: atMs };
        return {
          users: [disabled],
          tokens: endSessions(id, directory.tokens(), atMs),
          result: shownUser(disabled),
        };
      }),

    enable: (asked, id) =>
      directory.change(asked, (by) => {
        requireGatewayAdministrator(by, "Enabling a user");
        const user = requireUser(id);
        if (user.disabledAtMs === null) return { result: shownUser(user) };
        const enabled = { ...user, disabledAtMs: null };
        return { users: [enabled], result: shownUser(enabled) };
      }),

    async setPassword(asked, id, password) {
      const decide = (by: Principal): User => {
        requireGatewayAdministrator(by, "Setting a password");
        return requireUser(id);
      };
      // Asked before anything is hashed, which is slow and scarce, and again when the change has its turn: others
      // do not wait for the hash.
      decide(requireStanding(directory, asked));
      checkPassword(password, id);
      const hash = await passwords.hash(password);
      return directory.change(asked, (by) => {
        const user = decide(by);
        const setAtMs = now();
        const changed = { ...user, password: { hash, setAtMs } };
        return {
          users: [changed],
          tokens: endSessions(id, directory.tokens(), setAtMs),
          result: {
            ...shownUser(changed),
            livePersonalTokens: livePersonalTokens(id, setAtMs),
          },
        };
      });
    },
  };
}

/** @throws AppError `usage`, without the password */
function checkPassword(password: string, id: string): void {
  const fault =
    newPasswordFault(password) ??
    (normalPassword(password).toLowerCase() === id ? "A password is not the user's id" : undefined);
  if (fault === undefined) return;
  throw new AppError("usage", fault, { hint: newPasswordHint });
}
