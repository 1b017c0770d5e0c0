import type { User } from "../core/identities.ts";
import type { ShownUser } from "./administration.ts";

/** Of a password when it was set, and nothing that it is known by. */
export function shownUser({ password, ...user }: User): ShownUser {
  return { ...user, passwordSetAtMs: password?.setAtMs ?? null };
}
