import { createAdministrationClient } from "../../client/administration-client.ts";
import type { ConfigurationAnswer } from "../../client/administration-answers.ts";
import { mintLocalToken } from "../../runtime/mint-local-token.ts";
import type { RuntimeRecord } from "../../runtime/runtime-record.ts";
import type { Context } from "../context.ts";

/** Asks a gateway of this user, as its local owner, what became of its configuration file. */
export type AskConfiguration = () => Promise<ConfigurationAnswer>;

/**
 * One proof is enough for all questions of a command.
 * @throws AppError the returned function: what minting and asking throw; an older gateway knows nothing of it (`not_found`)
 */
export function askConfigurationOf(
  record: RuntimeRecord,
  context: Pick<Context, "secrets">,
  signal: AbortSignal,
): AskConfiguration {
  let bearer: string | undefined;
  const client = createAdministrationClient(async (limit, refused) => {
    if (bearer === undefined || bearer === refused) {
      ({ token: bearer } = await mintLocalToken(record, limit, "administration"));
      context.secrets.add(bearer);
    }
    return { endpoint: record.url, bearer, ownGateway: true };
  }, signal);
  return () => client.configuration();
}
