import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { countPackages, sizeOf } from "../package.mjs";
import { runProgram } from "../run-program.mjs";

const installWithinMs = 300_000;

/**
 * What npm put into a folder.
 * @typedef {object} Installed
 * @property {string} root where the package itself is
 * @property {string} version
 * @property {number} packages with those it depends on
 * @property {number} bytes of all files
 * @property {(name: string) => string} bin the file behind a command
 */

/**
 * Installs one package into an empty folder, as `npm install` does but without scripts.
 * @param {string} folder is made
 * @param {{package: string, spec: string, env: NodeJS.ProcessEnv}} options `spec` is what npm is told: a name with a
 *   version or a tarball
 * @returns {Promise<Installed>} rejects with what npm said
 */
export async function install(folder, { package: name, spec, env }) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", spec];
  await runProgram("npm", args, { cwd: folder, env, timeoutMs: installWithinMs });
  const modules = join(folder, "node_modules");
  const root = join(modules, ...name.split("/"));
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return {
    root,
    version: own.version,
    packages: countPackages(modules),
    bytes: sizeOf(modules),
    bin(command) {
      const file = own.bin?.[command];
      if (typeof file !== "string") throw new Error(`${name} has no command ${command}`);
      return join(root, file);
    },
  };
}
