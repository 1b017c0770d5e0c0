import { pause } from "../../soak/processes.mjs";
import { freePort } from "../child-process.mjs";
import { createHttpClient } from "../http-client.mjs";
import { createEcho } from "../mcp-clients.mjs";
import { echoTool } from "../real-servers.mjs";
import { environmentOf, reasonOf, startToStay } from "./programs.mjs";

const stepMs = 10;
const readyWithinMs = 30_000;

/** A way to the tool that is open. @typedef {{pid: number, call: () => Promise<void>, readyMs: number, stop: () => Promise<void>}} Way `readyMs`: from the start of its process to the first right answer */

/**
 * Starts a gateway in a home of its own, and asks it until a call of the tool is answered rightly.
 * @param {import("./gateways.mjs").Gateway} gateway
 * @param {import("./measure-command-lines.mjs").Ready} program
 * @param {string} home
 * @param {import("./gateways.mjs").Upstream} upstream
 * @returns {Promise<Way>} rejects when it ends, or has given no right answer within half a minute
 */
export async function startGateway(gateway, { installed, node }, home, upstream) {
  const port = await freePort();
  const env = environmentOf(home);
  const args = [
    ...gateway.nodeArgs,
    installed.bin(gateway.bin),
    ...gateway.prepare({ home, port, upstream }),
  ];
  const program = startToStay({ node, args, env, home });
  const client = createHttpClient(port);
  const stop = async () => {
    client.stop();
    await program.stop();
  };
  try {
    /** @type {(() => Promise<void>) | undefined} */
    let call;
    for (;;) {
      try {
        call ??= createEcho(await gateway.open(client), { ...echoTool, name: gateway.tool });
        await call();
        return { pid: program.pid, call, readyMs: performance.now() - program.startedAt, stop };
      } catch (error) {
        program.assertRuns();
        if (performance.now() - program.startedAt > readyWithinMs)
          throw new Error(`not ready within half a minute: ${reasonOf(error)}`, { cause: error });
        await pause(stepMs);
      }
    }
  } catch (error) {
    await stop();
    throw error;
  }
}
