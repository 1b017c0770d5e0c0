import { cannotSelect } from "../../client/connect-tool-server.ts";
import { identify } from "../../client/identify.ts";
import { selectionInUrl, selectionQuery } from "../../client/selection-query.ts";
import type { FoundProject } from "../../config/find-project.ts";
import { AppError } from "../../core/errors.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import type { Context } from "../context.ts";
import { chosenServers, saidChoice } from "../selection/chosen-servers.ts";
import type { SelectionOptions } from "../selection/chosen-servers.ts";
import type { ServerChoice } from "../server-choice.ts";

export interface GatewayQueryOptions extends SelectionOptions {
  /** `discover`: three tools in place of the catalog. */
  mode?: string | undefined;
}

/**
 * What a proxy puts behind the address of a gateway: which servers it wants, and how their tools. The command line says
 * so; or else the address that was given; or else, of servers, the project. Empty where there is nothing to say, and
 * for another server than a gateway.
 * @throws AppError `usage` for a wrong choice, and for one among the servers of what is no gateway
 */
export async function gatewayQuery(
  options: GatewayQueryOptions,
  choice: ServerChoice,
  project: FoundProject,
  { io, deadline }: Pick<Context, "io" | "deadline">,
): Promise<URLSearchParams> {
  const isGiven = choice.how === "option" || choice.how === "environment";
  const address = new URL(isGiven ? choice.given : choice.endpoint);
  const chosen = await chosenServers(options, project);
  const inUrl = selectionInUrl(address.href);
  const isOption = chosen?.origin === "options";
  const request = isOption ? chosen.request : (inUrl ?? chosen?.request);
  const mode = options.mode ?? address.searchParams.get("mode") ?? undefined;
  if (request === undefined && mode === undefined) return new URLSearchParams();
  if ((await kindOf(choice, deadline.signal)) === "mcp") {
    if (isOption || options.mode !== undefined) throw cannotSelect(choice.endpoint);
    return new URLSearchParams();
  }
  const query = selectionQuery(request ?? {});
  if (mode !== undefined) query.set("mode", mode);
  if (chosen !== undefined && request === chosen.request && typeof chosen.origin === "object") {
    io.note(`${quoteForShell(chosen.origin.file)} chooses ${saidChoice(chosen.request)}`);
  }
  return query;
}

/** One that is away for now may be a gateway: to ask it for less than all is no harm where it is none. */
async function kindOf(
  { server, endpoint }: ServerChoice,
  signal: AbortSignal,
): Promise<ServerChoice["server"]> {
  if (server !== "unknown") return server;
  try {
    return await identify(endpoint, signal);
  } catch (error) {
    if (error instanceof AppError) return "unknown";
    throw error;
  }
}
