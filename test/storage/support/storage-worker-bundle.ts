import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

export interface WorkerBundle {
  /** The worker's entry, as the build makes it. */
  url: URL;
  /** Scripts for other processes: `own-state-directory.ts`, `fill-disk.ts`, `hold-database.ts`, `read-database.ts`. */
  ownerScript: string;
  fillScript: string;
  holdScript: string;
  readScript: string;
  remove(): Promise<void>;
}

/**
 * Bundles the worker into a temporary directory: Node 20 cannot run TypeScript in a thread. libsql stays
 * outside and is named by its absolute path.
 */
export async function bundleStorageWorker(): Promise<WorkerBundle> {
  const directory = await mkdtemp(join(tmpdir(), "onedoor-worker-"));
  await build({
    entryPoints: {
      "storage-worker": join(import.meta.dirname, "../../../src/storage/sqlite/worker.ts"),
      "own-state-directory": join(import.meta.dirname, "own-state-directory.ts"),
      "fill-disk": join(import.meta.dirname, "fill-disk.ts"),
      "hold-database": join(import.meta.dirname, "hold-database.ts"),
      "read-database": join(import.meta.dirname, "read-database.ts"),
    },
    outdir: directory,
    outExtension: { ".js": ".mjs" },
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
    url: pathToFileURL(join(directory, "storage-worker.mjs")),
    ownerScript: join(directory, "own-state-directory.mjs"),
    fillScript: join(directory, "fill-disk.mjs"),
    holdScript: join(directory, "hold-database.mjs"),
    readScript: join(directory, "read-database.mjs"),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
