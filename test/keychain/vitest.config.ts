import base from "../vitest.config.ts";

// A real Secret Service, of Debian's packages dbus and gnome-keyring: `npm run test:keychain`. Where they are
// missing it fails; it never skips.
export default {
  ...base,
  test: {
    ...base.test,
    include: ["test/keychain/**/*.test.ts"],
    exclude: [],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
};
