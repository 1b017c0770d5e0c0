import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

/**
 * The worker as the build makes it, in a temporary directory: Node 20 cannot run TypeScript in a thread.
 * libsql stays outside the bundle and is named by its absolute path.
 */
export async function bundleStorageWorker(): Promise<{ url: URL; remove(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "onedoor-worker-"));
  const outfile = join(directory, "storage-worker.mjs");
  await build({
    entryPoints: [join(import.meta.dirname, "../../../src/storage/sqlite/worker.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "silent",
    plugins: [
      {
        name: "libsql-by-path",
        setup(bundler) {
          const path = createRequire(import.meta.url).resolve("libsql");
          bundler.onResolve({ filter: /^libsql$/ }, () => ({ path, external: true }));
        },
      },
    ],
  });
  return {
    url: pathToFileURL(outfile),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
