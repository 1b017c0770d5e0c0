import { mkdtemp, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));

/**
 * Loads a TypeScript file and what it imports, for scripts that write what follows from the sources.
 * Files that the sources load lazily are to be loaded within `use`: the bundle is gone after it.
 * @template T
 * @param {string} file from the root
 * @param {(exports: any) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withSources(file, use) {
  const folder = await mkdtemp(join(root, "node_modules", ".onedoor-sources-"));
  try {
    await build({
      entryPoints: [join(root, file)],
      bundle: true,
      splitting: true,
      packages: "external",
      platform: "node",
      format: "esm",
      outdir: folder,
      define: { ONEDOOR_VERSION: '"0.0.0"' },
      logLevel: "error",
    });
    const name = basename(file).replace(/\.ts$/, ".js");
    return await use(await import(pathToFileURL(join(folder, name)).href));
  } finally {
    await rm(folder, { recursive: true });
  }
}
