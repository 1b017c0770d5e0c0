import { connectToolServer } from "../../client/connect-tool-server.ts";
import type { ConnectOptions } from "../../client/connect-tool-server.ts";
import type { Deadline } from "../../client/deadline.ts";
import type { ToolServer } from "../../client/tool-server.ts";
import { AppError } from "../../core/errors.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import type { GlobalOptions, ServerOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { bearerFor, chooseServer } from "../server-choice.ts";

/** Where the server and its bearer come from; a test hands in its own. */
export interface ServerSource {
  chooseServer: typeof chooseServer;
  bearerFor: typeof bearerFor;
  connect(options: ConnectOptions): Promise<ToolServer>;
}

export const realSource: ServerSource = { chooseServer, bearerFor, connect: connectToolServer };

/** The options that commands of ours share. */
export type CallingOptions = GlobalOptions & ServerOptions;

/** Who we say we are, for audit rows, where the environment names nobody. */
const defaultClientName = "onedoor-cli";

/**
 * Chooses the server, takes the bearer that wins for it, connects, and hands it to `use`; takes leave of
 * it in every case. All of it stands under `deadline`.
 * @throws AppError `unreachable`, `timeout`, `auth_required`, `auth_rejected`, … and what `use` throws
 */
export async function withServer<T>(
  options: CallingOptions,
  context: Context,
  deadline: Deadline,
  source: ServerSource,
  use: (server: ToolServer) => Promise<T>,
): Promise<T> {
  const choice = await source.chooseServer(options, context);
  const { token } = await source.bearerFor(choice, options, context, deadline.signal);
  const { environment } = context;
  let server: ToolServer | undefined;
  try {
    server = await source.connect({
      endpoint: choice.endpoint,
      kind: choice.server,
      bearer: token,
      clientName: environment.clientName ?? defaultClientName,
      sessionId: environment.sessionId,
      signal: deadline.signal,
    });
    return await use(server);
  } catch (error) {
    throw withSignInHint(error, options, context);
  } finally {
    await server?.close();
  }
}

/** The hint of a refused credential names the server, where it was not found by itself. */
function withSignInHint(error: unknown, options: CallingOptions, context: Context): unknown {
  const url = options.url ?? context.environment.url;
  if (!(error instanceof AppError) || url === undefined || error.hint !== "agent auth login") {
    return error;
  }
  return new AppError(error.code, error.message, {
    hint: `agent auth login --url ${quoteForShell(url)}`,
    cause: error,
  });
}

/** What has to be repeated on the command lines that we suggest: ` --url …`, or nothing. */
export function sameServer(options: CallingOptions): string {
  const url = options.url === undefined ? "" : ` --url ${quoteForShell(options.url)}`;
  return (
    url + (options.profile === undefined ? "" : ` --profile ${quoteForShell(options.profile)}`)
  );
}
