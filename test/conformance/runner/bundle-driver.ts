import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Our client behind its driver as one file for the Node that the project runs under. */
export async function bundleDriver(folder: string): Promise<string> {
  const { version }: { version: string } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  const outfile = join(folder, "driver.mjs");
  await build({
    absWorkingDir: root,
    entryPoints: ["test/conformance/driver/play-scenario.ts"],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    define: { ONEDOOR_VERSION: JSON.stringify(version) },
    logLevel: "warning",
    // CommonJS libraries call require(), which an ES module has to make for itself.
    banner: {
      js: 'import{createRequire as __driverRequire}from"node:module";const require=__driverRequire(import.meta.url);',
    },
  });
  return outfile;
}
