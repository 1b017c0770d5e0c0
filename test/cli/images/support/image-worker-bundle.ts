import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

/** Bundles the worker into a temporary directory: Node 20 cannot run TypeScript in a thread. */
export async function bundleImageWorker(): Promise<{ url: URL; remove(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "onedoor-images-"));
  const outfile = join(directory, "image-worker.mjs");
  await build({
    entryPoints: [join(import.meta.dirname, "../../../../src/cli/images/image-worker.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "silent",
    banner: {
      js: 'import{createRequire as make}from"node:module";const require=make(import.meta.url);',
    },
  });
  return { url: pathToFileURL(outfile), remove: () => rm(directory, { recursive: true }) };
}
