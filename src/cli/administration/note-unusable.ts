import type { OfferedWay } from "../../client/probe-authentication.ts";
import { AppError } from "../../core/errors.ts";
import type { Context } from "../context.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";

/** What was given to a user, and the way in (`auth`) that takes it. */
const takenBy = {
  password: {
    type: "simple",
    note: 'Nobody can sign in with a password at this gateway until its auth lists "simple" with users of its own',
  },
  token: {
    type: "local",
    note: 'Nobody can sign in with this token until auth of the gateway lists "local"',
  },
} as const;

/**
 * Says on stderr that what was just given to a user is good for nothing, where the gateway takes no such thing. What
 * was done stays done, so nothing is said where the gateway cannot be asked.
 */
export async function noteUnusable(
  given: keyof typeof takenBy,
  { endpoint }: { endpoint: string },
  { json }: { json: boolean },
  context: Context,
  dependencies: Pick<AuthDependencies, "probeAuthentication">,
): Promise<void> {
  // With --json stderr is for the one error line alone.
  if (json) return;
  const { type, note } = takenBy[given];
  const { signal } = context.deadline;
  const isTaken = await dependencies
    .probeAuthentication(endpoint, undefined, signal, "onedoor")
    .then(
      (answer) =>
        answer.kind !== "open" && (answer.kind !== "required" || lists(answer.ways, type)),
    )
    .catch((error: unknown) => {
      if (error instanceof AppError && !context.signal.aborted) return true;
      throw error;
    });
  if (!isTaken) context.io.note(note, { always: true });
}

/** Users and passwords of an issuer are not the gateway's own, and a gateway that lists no way at all says nothing. */
function lists(ways: readonly OfferedWay[], type: string): boolean {
  return ways.length === 0 || ways.some((way) => way.type === type && way.issuer === undefined);
}
