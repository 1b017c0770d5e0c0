import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "./run-program.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const npm = { env: process.env, timeoutMs: 120_000 };

/**
 * What a user gets: `npm install` of the packed program into an empty folder.
 * @type {import("./bench.mjs").Bench}
 */
export async function benchPackage({ progress }) {
  const folder = mkdtempSync(join(tmpdir(), "onedoor-bench-package-"));
  try {
    const empty = join(folder, "empty");
    mkdirSync(empty);
    // Else npm looks for a package in the folders above.
    writeFileSync(join(empty, "package.json"), '{"private": true}');
    progress("npm pack");
    // Without scripts: it is built already.
    const packing = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
    await runProgram("npm", packing, { cwd: root, ...npm });
    const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
    if (tarball === undefined) throw new Error("npm pack made no tarball");
    progress("npm install");
    const installing = [
      "install",
      join(folder, tarball),
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
    ];
    await runProgram("npm", installing, { cwd: empty, ...npm });

    const packages = countPackages(join(empty, "node_modules"));
    const bytes = sizeOf(join(empty, "node_modules"));
    const packedBytes = lstatSync(join(folder, tarball)).size;
    return [
      {
        what: "npm install of the tarball, packages",
        value: packages,
        unit: "packages",
        target: { most: 15 },
        detail: `in an empty folder, on ${process.platform} ${process.arch}`,
      },
      {
        what: "npm install of the tarball, size",
        value: bytes / 1e6,
        unit: "MB",
        target: { most: 45 },
        detail: `all files in node_modules; the tarball has ${(packedBytes / 1e6).toFixed(2)} MB`,
        figures: { bytes, packedBytes },
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} folder node_modules @returns {number} how many packages npm put there, at whatever depth */
export function countPackages(folder) {
  const lock = JSON.parse(readFileSync(join(folder, ".package-lock.json"), "utf8"));
  return Object.keys(lock.packages).length;
}

/** @param {string} folder @returns {number} the bytes of all files below it */
export function sizeOf(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) bytes += lstatSync(join(entry.parentPath, entry.name)).size;
  return bytes;
}
