import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));

/**
 * Loads exports straight from the TypeScript sources, for scripts that write what follows from them.
 * @param {Record<string, string>} exports name of the export → file, from the root
 * @returns {Promise<Record<string, any>>}
 */
export async function loadSources(exports) {
  const folder = await mkdtemp(join(root, "node_modules", ".onedoor-sources-"));
  try {
    await build({
      stdin: {
        contents: Object.entries(exports)
          .map(([name, file]) => `export { ${name} } from "./${file}";`)
          .join("\n"),
        resolveDir: root,
      },
      bundle: true,
      splitting: true,
      packages: "external",
      platform: "node",
      format: "esm",
      outdir: folder,
      define: { ONEDOOR_VERSION: '"0.0.0"' },
      logLevel: "error",
    });
    const loaded = await import(pathToFileURL(join(folder, "stdin.js")).href);
    // The commands load lazily: before their files go.
    for (const entry of loaded.commandTable ?? []) await entry.load();
    return loaded;
  } finally {
    await rm(folder, { recursive: true });
  }
}
