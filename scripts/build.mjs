// Bundles the program into dist/: ES modules, split so that a command loads what it needs and no more.
import { existsSync } from "node:fs";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const root = new URL("../", import.meta.url);
const { version } = JSON.parse(await readFile(new URL("package.json", root), "utf8"));

/**
 * yargs parses our command lines; its help is not used. What draws that help (and takes most of the time
 * yargs needs to load) is left out.
 * @type {import("esbuild").Plugin}
 */
const yargsWithoutHelp = {
  name: "yargs-without-help",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:cliui|string-width)$/ }, ({ path, importer }) =>
      /[\\/]node_modules[\\/]yargs[\\/]/.test(importer)
        ? { path, namespace: "not-used" }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: "not-used" }, ({ path }) => ({
      contents: `export default () => { throw new Error(${JSON.stringify(`${path} is not bundled`)}); };`,
    }));
  },
};

/**
 * While the house is being built: a command that is not there yet fails when it is called.
 * @type {import("esbuild").Plugin}
 */
const missingCommands = {
  name: "missing-commands",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/commands\// }, ({ path }) =>
      existsSync(new URL(`src/cli/${path}`, root)) ? undefined : { path, external: true },
    );
  },
};

await rm(new URL("dist", root), { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: new URL(".", root).pathname,
  entryPoints: { main: "src/cli/main.ts", "storage-worker": "src/storage/sqlite/worker.ts" },
  outdir: "dist",
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  external: ["keytar", "libsql"],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  metafile: true,
  define: { ONEDOOR_VERSION: JSON.stringify(version) },
  plugins: [yargsWithoutHelp, missingCommands],
  // CommonJS libraries call require(), which an ES module has to make for itself.
  banner: {
    js: 'import{createRequire as __onedoorBundleCreateRequire}from"node:module";const require=__onedoorBundleCreateRequire(import.meta.url);',
  },
  logLevel: "warning",
});
await chmod(new URL("dist/main.js", root), 0o755);
