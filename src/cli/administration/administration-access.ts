import { createAdministrationClient } from "../../client/administration-client.ts";
import type { AdministrationClient } from "../../client/administration-client.ts";
import type { FindAccess } from "../../client/administration-questions.ts";
import { shownAddress } from "../../client/http-json.ts";
import { AppError } from "../../core/errors.ts";
import { parseServerUrl } from "../../core/url.ts";
import type { GlobalOptions, ServerOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { askedProfileName, bearerFor, chooseServer } from "../server-choice.ts";
import { renewRefused } from "../profile-bearer.ts";
import { loginHint, refusedHint } from "../login-hint.ts";
import { notSignedIn } from "../not-signed-in.ts";
import { runningGateway } from "../running-gateway.ts";
import type { ServerChoice } from "../server-choice.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";
import { tokenFromElsewhere } from "../token-from-elsewhere.ts";

type Options = GlobalOptions & ServerOptions;

/** Less left than this, in milliseconds, and a token is not begun a question with. */
const marginMs = 10_000;

/**
 * Finds the gateway that is administered, as every command finds its server, and hands `use` the way to it. For the
 * running gateway of this user the proof of the local owner is enough: nothing is saved, and nobody needs to be signed
 * in. `--token`, `--profile` and ONEDOOR_TOKEN say who else to be, and another server is asked with its saved profile.
 * @throws AppError `unreachable` when there is no server, `usage` when it is no gateway; what choosing a server and
 *   minting throw, and what `use` throws
 */
export async function withAdministration<T>(
  options: Options,
  context: Context,
  dependencies: AuthDependencies,
  use: (client: AdministrationClient, gateway: Pick<ServerChoice, "endpoint">) => Promise<T>,
): Promise<T> {
  const choice = await gatewayFor(options, context, dependencies);
  const isSomebodyElse =
    askedProfileName(options, context) !== undefined ||
    tokenFromElsewhere(choice.canonical, options, context) !== undefined;
  const findAccess =
    choice.runtime !== undefined && !isSomebodyElse
      ? ownerAccess(choice, context, dependencies)
      : await savedAccess(choice, options, context, dependencies);
  try {
    return await use(createAdministrationClient(findAccess, context.deadline.signal), choice);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "auth_required") throw error;
    const login = loginHint({ url: choice.given, name: options.profile }, options);
    throw notSignedIn(choice.canonical, login, context);
  }
}

async function gatewayFor(
  options: Options,
  context: Context,
  dependencies: AuthDependencies,
): Promise<ServerChoice> {
  const choice = await chooseServer(options, context, dependencies);
  if (choice.server === "mcp") {
    throw new AppError(
      "usage",
      `${shownAddress(choice.endpoint)} is an MCP server, and no OneDoor gateway to administer`,
      { hint: "agent serve --background, or name a gateway with --url <url>" },
    );
  }
  return choice;
}

/** The gateway is found anew for each question: one that was started again has another token, and place. */
function ownerAccess(
  choice: ServerChoice,
  context: Context,
  dependencies: AuthDependencies,
): FindAccess {
  let held: { token: string; expiresAtMs: number; instanceId: string } | undefined;
  return async (signal, refused) => {
    const record = await runningGateway(context, dependencies);
    const isThere =
      record !== undefined &&
      (choice.how === "runtime" || parseServerUrl(record.url).canonical === choice.canonical);
    if (!isThere) {
      throw new AppError("unreachable", `Your gateway at ${choice.canonical} is not running`, {
        hint: "agent serve --background",
      });
    }
    const isGood =
      held !== undefined &&
      held.instanceId === record.instanceId &&
      held.token !== refused &&
      held.expiresAtMs - marginMs > context.now();
    if (!isGood || held === undefined) {
      const minted = await dependencies.mintLocalToken(record, signal, "administration");
      context.secrets.add(minted.token);
      held = { ...minted, instanceId: record.instanceId };
    }
    return { endpoint: record.url, bearer: held.token, ownGateway: true };
  };
}

async function savedAccess(
  choice: ServerChoice,
  options: Options,
  context: Context,
  dependencies: AuthDependencies,
): Promise<FindAccess> {
  let bearer = await bearerFor(choice, options, context, dependencies);
  const key = { url: choice.given, name: bearer.profile?.name ?? options.profile };
  const ownGateway = choice.runtime !== undefined;
  return async (_signal, refused) => {
    const other = refused === bearer.token && (await renewRefused(bearer, context, dependencies));
    if (other) bearer = other;
    if (bearer.token !== refused || refused === undefined) {
      return { endpoint: choice.endpoint, bearer: bearer.token, ownGateway };
    }
    throw new AppError("auth_rejected", `Token rejected by ${shownAddress(choice.endpoint)}`, {
      hint: refusedHint(bearer.source, loginHint(key, options), choice),
    });
  };
}
