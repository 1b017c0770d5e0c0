import { fileURLToPath } from "node:url";
import { startNode } from "./child-process.mjs";

const program = fileURLToPath(new URL("programs/pass-through.mjs", import.meta.url));

/** Starts the plain Node pass-through before a server. @param {number} port of that server */
export async function startPassThrough(port) {
  const child = startNode([program, String(port)]);
  const own = Number(await child.said(/port (\d+)/u));
  return { port: own, pid: child.pid, stop: () => child.stop() };
}
