import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { everythingFile, startEverything } from "../real-servers.mjs";
import { runProgram } from "../run-program.mjs";
import { install } from "./install.mjs";
import { measureCommandLines } from "./measure-command-lines.mjs";
import { measureCalls, measureStarts } from "./measure-gateways.mjs";
import { newerNode, peers } from "./packages.mjs";
import { reasonOf } from "./programs.mjs";

/** @typedef {import("../table.mjs").Result} Result */
/** @typedef {import("./measure-command-lines.mjs").Ready} Ready */

const root = fileURLToPath(new URL("../../../", import.meta.url));
const ownMajor = Number(process.versions.node.split(".")[0]);

/**
 * Installs the peers and OneDoor in the same way, and measures the same work on all of them.
 * @param {object} options
 * @param {readonly string[]} options.chosen keys of `peers`
 * @param {string} options.folder for everything that is installed and written
 * @param {number} options.pairs
 * @param {(text: string) => void} options.progress
 * @returns {Promise<Result[]>} what failed stands in it with its reason; rejects when OneDoor cannot be installed or
 *   the server that everybody calls does not start
 */
export async function benchPeers({ chosen, folder, pairs, progress }) {
  const { ready, results } = await installAll({ chosen, folder, progress });
  const server = await startEverything();
  const everything = {
    url: server.url,
    pid: server.pid,
    stdio: [process.execPath, everythingFile],
  };
  const homes = join(folder, "homes");
  const options = { ready, folder: homes, everything, pairs, progress };
  try {
    results.push(...(await measureCommandLines(options)));
    results.push(...(await measureCalls({ ...options, behind: "http" })));
    results.push(...(await measureCalls({ ...options, behind: "stdio" })));
    results.push(...(await measureStarts(options)));
  } finally {
    await server.stop();
  }
  return results;
}

/** @param {{chosen: readonly string[], folder: string, progress: (text: string) => void}} options */
async function installAll({ chosen, folder, progress }) {
  const begun = performance.now();
  // By this, what npm starts is known as ours and ended with us.
  const env = { ...process.env, ONEDOOR_BENCH_FOLDER: folder };
  /** @type {Map<string, string>} */
  const failures = new Map();
  /** @type {Record<string, Ready>} */
  const ready = {};
  const own = { node: process.execPath, nodeName: `node ${process.versions.node}` };

  progress("packing OneDoor");
  const packed = join(folder, "packed");
  mkdirSync(packed);
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", packed];
  const { stdout } = await runProgram("npm", args, { cwd: root, env });
  const [{ filename, name }] = JSON.parse(stdout);
  const spec = join(packed, filename);
  const installed = await install(join(folder, "onedoor"), { package: name, spec, env });
  ready["onedoor"] = { installed, ...own };

  const newer = chosen.some((key) => (peers[key]?.leastNode ?? 0) > ownMajor)
    ? await installNewerNode({ folder, env, progress })
    : undefined;
  for (const key of chosen) {
    const peer = peers[key];
    if (peer === undefined) continue;
    progress(`installing ${peer.package}`);
    try {
      const node = peer.leastNode > ownMajor ? newer?.() : own;
      const peerSpec = `${peer.package}@${peer.version}`;
      const options = { package: peer.package, spec: peerSpec, env };
      const peerInstalled = await install(join(folder, key), options);
      ready[key] = { installed: peerInstalled, ...(node ?? own) };
    } catch (error) {
      failures.set(`${peer.package} ${peer.version}`, reasonOf(error));
    }
  }
  /** @type {import("../bench.mjs").Row[]} */
  const rows = Object.entries(ready).map(([key, { installed: there }]) => ({
    what: `${key === "onedoor" ? "OneDoor" : key} ${there.version}`,
    value: there.bytes / 1e6,
    unit: "MB",
    detail: `${there.packages} packages`,
    figures: { megabytes: there.bytes / 1e6, packages: there.packages },
  }));
  const seconds = (performance.now() - begun) / 1000;
  const error = [...failures].map(([title, reason]) => `${title}: ${reason}`).join("\n");
  /** @type {Result[]} */
  const results = [{ name: "installed", seconds, rows, ...(error !== "" && { error }) }];
  return { ready, results };
}

/**
 * @param {{folder: string, env: NodeJS.ProcessEnv, progress: (text: string) => void}} options
 * @returns {Promise<() => {node: string, nodeName: string}>} throws, when it is asked for, why it could not be
 *   installed
 */
async function installNewerNode({ folder, env, progress }) {
  progress(`installing node ${newerNode.version}`);
  try {
    const { root: at } = await install(join(folder, "node"), {
      package: newerNode.package,
      spec: `${newerNode.package}@${newerNode.version}`,
      env,
    });
    return () => ({ node: join(at, newerNode.file), nodeName: `node ${newerNode.version}` });
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
