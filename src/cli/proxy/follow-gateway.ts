import { parseServerUrl } from "../../core/url.ts";
import type { ServerOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { chooseServer } from "../server-choice.ts";
import { runningGateway } from "../running-gateway.ts";
import type { ServerChoice } from "../server-choice.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";
import { createProxyCredentials } from "./proxy-credentials.ts";
import type { ProxyCredentials } from "./proxy-credentials.ts";

/** The server of a proxy at one of its addresses, with what is shown there and nowhere else. */
export interface ProxyServer {
  readonly choice: ServerChoice;
  readonly credentials: ProxyCredentials;
}

export interface FollowedServer {
  /** As it was found last. */
  readonly current: ProxyServer;
  /**
   * Looks whether this user's gateway is elsewhere by now, and finds what is saved for that address.
   * @throws AppError as `chooseServer` and `createProxyCredentials`
   */
  find(): Promise<ProxyServer>;
}

/**
 * The server of a proxy. One that was named stays where it is; this user's own gateway, found by its runtime
 * file, may come back at another port, and is then the gateway that file names.
 * @param onMoved told once for each new address
 */
export async function followGateway(
  first: ServerChoice,
  options: ServerOptions,
  context: Context,
  dependencies: AuthDependencies,
  onMoved: (choice: ServerChoice) => void,
): Promise<FollowedServer> {
  const open = async (choice: ServerChoice): Promise<ProxyServer> => ({
    choice,
    credentials: await createProxyCredentials(choice, options, context, dependencies),
  });
  let current = await open(first);
  let moving: Promise<void> | undefined;

  const move = async (): Promise<void> => {
    const runtime = await runningGateway(context, dependencies);
    if (runtime === undefined) return;
    if (parseServerUrl(runtime.url).canonical === current.choice.canonical) return;
    // Not named on the command line or in the environment, or it would not be followed.
    current = await open(await chooseServer(options, context, dependencies));
    onMoved(current.choice);
  };
  return {
    get current() {
      return current;
    },
    async find() {
      if (isOwnGateway(first)) {
        moving ??= move().finally(() => (moving = undefined));
        await moving;
      }
      return current;
    },
  };
}

function isOwnGateway({ how, profile }: ServerChoice): boolean {
  return how === "runtime" || (how === "profile" && profile?.source === "local");
}
