import { shownAddress } from "../../client/http-json.ts";
import type { Profiles } from "../../profiles/open-profiles.ts";
import type { Context } from "../context.ts";
import { requireOwnGateway } from "../server-choice.ts";
import type { ServerChoice } from "../server-choice.ts";

/**
 * While one's own gateway does not run, whoever listens in its place is a stranger, whom no token and no password is
 * for. Only who names the address may mean another server there; that is said.
 * @throws AppError `unreachable`
 */
export async function heedStranger(
  choice: ServerChoice,
  context: Context,
  profiles: Profiles,
): Promise<void> {
  // Where nobody named the server, a token that was given is no sign that another one is meant.
  const { environment } = context;
  if (choice.how === "profile") {
    requireOwnGateway(choice, {}, { environment: { ...environment, token: undefined } });
  }
  if (choice.runtime !== undefined || !choice.loopback) return;
  const kept = choice.profile ?? (await profiles.find(choice.canonical));
  if (kept?.source !== "local") return;
  context.io.note(
    `Your own gateway, which profile ${kept.name} is for, does not run at ${shownAddress(choice.given)} now: another program may answer there`,
  );
}
