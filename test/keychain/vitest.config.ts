import { defineConfig } from "vitest/config";

// Needs Debian's packages dbus and gnome-keyring; without them it fails, and never skips.
export default defineConfig({
  test: {
    include: ["test/keychain/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
  },
});
