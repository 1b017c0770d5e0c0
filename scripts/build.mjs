// Bundles the program into dist/, as CommonJS: one file with all that commands need at their start, and the rest split so
// that a command loads what it needs and no more.
import { chmod, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildEarly, earlyFiles, fromEarly, ownUrl, writeLazy } from "./early-bundle.mjs";
import { leftOut } from "./left-out.mjs";
import { thirdPartyLicenses } from "./third-party-licenses.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const { version, bin } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

/**
 * What main.ts loads lazily is the other bundle's entry.
 * @type {import("esbuild").Plugin}
 */
const onlyMain = {
  name: "only-main",
  setup(bundler) {
    bundler.onResolve({ filter: /^\.\/command-line\.ts$/ }, () => ({
      path: "./command-line.js",
      external: true,
    }));
  },
};

// Built beside and then put in place, so that a failed build leaves the last good one.
const dist = join(root, "dist");
const fresh = join(root, `dist-${process.pid}`);
try {
  await buildInto(fresh);
  await rm(dist, { recursive: true, force: true });
  await rename(fresh, dist);
} finally {
  await rm(fresh, { recursive: true, force: true });
}
await linkOwnCommands();

/** @param {string} outdir */
async function buildInto(outdir) {
  /** @satisfies {import("esbuild").BuildOptions} */
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "node20",
    minifySyntax: true,
    minifyWhitespace: true,
    define: { ONEDOOR_VERSION: JSON.stringify(version) },
    // All of them are in one file, with the licences.
    legalComments: "none",
    logLevel: "warning",
  };
  // By itself, so that `--version` opens this one file.
  await build({
    ...common,
    outdir,
    format: "cjs",
    entryPoints: ["src/cli/main.ts"],
    // As `require`: Node's loader of ES modules takes a fifth of the time that Node takes to start.
    supported: { "dynamic-import": false },
    plugins: [onlyMain],
  });
  const early = await earlyFiles(common);
  const { metafile, outputFiles } = await build({
    ...common,
    outdir: join(outdir, "lazy"),
    format: "esm",
    entryPoints: { ...early.lazyEntries },
    // Beside each other: what a file finds by its own address (a worker thread) is there from every chunk.
    chunkNames: "[name]-[hash]",
    splitting: true,
    external: ["keytar"],
    // Its CommonJS form hides its requires from the bundler.
    alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" },
    define: { ...common.define, "import.meta.url": ownUrl },
    metafile: true,
    write: false,
    plugins: [fromEarly(root, early), leftOut],
  });
  const names = await writeLazy(outputFiles, metafile, early);
  await buildEarly(common, outdir, early, names);
  // Threads have no variable in common with the program, and load one file each.
  const workers = await build({
    ...common,
    outdir: join(outdir, "lazy"),
    format: "cjs",
    banner: { js: '"use strict";' },
    entryPoints: {
      "storage-worker": "src/storage/sqlite/worker.ts",
      "image-worker": "src/cli/images/image-worker.ts",
    },
    external: ["libsql"],
    metafile: true,
  });
  await chmod(join(outdir, "main.js"), 0o755);
  await writeFile(join(outdir, "package.json"), '{"type":"commonjs"}\n');
  await writeFile(
    join(outdir, "THIRD-PARTY-LICENSES.txt"),
    await thirdPartyLicenses(root, [
      ...early.inputs,
      ...Object.keys(metafile.inputs),
      ...Object.keys(workers.metafile.inputs),
    ]),
  );
}

/**
 * npm links the commands of dependencies only; in the checkout `npx agent` should work as well. On
 * Windows a link needs a privilege, and there `node dist/main.js` is the way.
 */
async function linkOwnCommands() {
  if (process.platform === "win32") return;
  const folder = join(root, "node_modules", ".bin");
  await mkdir(folder, { recursive: true });
  for (const [name, file] of Object.entries(bin)) {
    const made = join(folder, `.${name}-${process.pid}`);
    await symlink(join("..", "..", file), made);
    await rename(made, join(folder, name));
  }
}
