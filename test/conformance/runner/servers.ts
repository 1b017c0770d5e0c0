import { fileURLToPath } from "node:url";
import { createHome } from "../../e2e/support/home.ts";
import { startProcess } from "./run-process.ts";

/** How long a server may take to start, in milliseconds. */
const startMs = 30_000;

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export interface Upstream {
  era: "modern" | "legacy";
  over: "http" | "stdio";
}

interface RunningUpstream {
  /** As it stands in the gateway's configuration. */
  entry: object;
  stop(): Promise<void>;
}

export interface RunningGateway {
  /** Of its MCP endpoint. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Our fixture, under the Node this file runs under: it is TypeScript. Over stdio the gateway starts it. */
async function startUpstream({ era, over }: Upstream): Promise<RunningUpstream> {
  const args = [here(`../fixture/${over}-fixture.ts`), era];
  if (over === "stdio") {
    // Processes of single clients, so that they can be asked; the default is one for all.
    const entry = { command: process.execPath, args, connection: "session" };
    return { entry, stop: () => Promise.resolve() };
  }
  const fixture = startProcess(process.execPath, args);
  const [url] = await fixture.waitFor(/http:\S+/u, startMs);
  return { entry: { url }, stop: () => fixture.stop() };
}

/**
 * The built gateway in front of our fixture, in a home of its own, once it is ready.
 * @param node the Node that the project runs under
 */
export async function startGateway(node: string, behind: Upstream): Promise<RunningGateway> {
  const upstream = await startUpstream(behind);
  const home = createHome();
  home.writeConfiguration({
    // Without a prefix the names stay as the suite knows them.
    mcpServers: { fixture: { ...upstream.entry, prefix: "" } },
    auth: { type: "none" },
  });
  const gateway = startProcess(node, [here("../../../dist/main.js"), "serve", "--port", "0"], {
    cwd: home.folder,
    env: home.env,
  });
  const stop = async (): Promise<void> => {
    await gateway.stop();
    await upstream.stop();
    home.remove();
  };
  try {
    const [, url = ""] = await gateway.waitFor(/Listening on (http:\S+)/u, startMs);
    await untilReady(url);
    return { url: `${url}/mcp`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function untilReady(url: string): Promise<void> {
  const until = Date.now() + startMs;
  for (;;) {
    const { status } = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(startMs) });
    if (status === 200) return;
    if (Date.now() > until) throw new Error(`The gateway at ${url} is not ready`);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}
