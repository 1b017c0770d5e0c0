import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

const packageJson: { version: string } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
);
const report = process.env["VITEST_REPORT"];

export default defineConfig({
  define: { ONEDOOR_VERSION: JSON.stringify(packageJson.version) },
  test: {
    include: ["test/**/*.test.ts"],
    // These need a keychain, a registry, other people's programs or shells: npm run test:keychain|package|foreign|shells.
    exclude: [
      "test/keychain/**",
      "test/package/**",
      "test/foreign/**",
      "test/shells/**",
      // Holds no tests of ours, but installed packages with tests of theirs.
      "test/conformance/**",
    ],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: "forks",
    ...(report === undefined
      ? {}
      : { reporters: ["default", "json"], outputFile: { json: report } }),
  },
});
