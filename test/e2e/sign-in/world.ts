import { runAgent } from "../support/agent.ts";
import { startGateway } from "../support/gateway.ts";
import type { RunningGateway } from "../support/gateway.ts";
import { createHome } from "../support/home.ts";
import type { Home } from "../support/home.ts";
import { restClient } from "../support/rest.ts";
import type { Rest } from "../support/rest.ts";
import { echoServer, ownerToken } from "../support/team.ts";

/** A gateway with one server for all, and whoever vouches for its callers. */
export interface World {
  readonly gateway: RunningGateway;
  readonly home: Home;
  stop(): Promise<void>;
}

/** @param auth the configuration's `auth` */
export async function startWorld(auth: unknown, more: object = {}): Promise<World> {
  const home = createHome();
  const gateway = await startGateway(home, {
    rateLimit: { rpm: 0 },
    mcpServers: { open: echoServer("open") },
    auth,
    ...more,
  });
  await settled(gateway.url);
  return {
    gateway,
    home,
    async stop() {
      await gateway.stop();
      home.remove();
    },
  };
}

/** Asks until the upstream servers are up, or shown as what they are. */
async function settled(url: string): Promise<void> {
  const endMs = Date.now() + 20_000;
  while ((await fetch(`${url}/health/ready`)).status !== 200) {
    if (Date.now() > endMs) throw new Error("The servers do not get ready");
  }
}

/** The owner of a gateway whose `auth` lists `local`. */
export async function ownerOf({ gateway, home }: World): Promise<Rest> {
  return restClient(gateway.url, await ownerToken(home));
}

/** Runs a command of the gateway's administration, by the local proof. */
export async function administer(
  { home }: World,
  args: readonly string[],
  stdin?: string,
): Promise<string> {
  const { code, stdout, stderr } = await runAgent(args, {
    home,
    ...(stdin === undefined ? {} : { stdin: { text: stdin } }),
  });
  if (code !== 0) throw new Error(`agent ${args.join(" ")}: ${stderr}`);
  return stdout.trim();
}
