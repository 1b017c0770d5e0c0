import base from "../vitest.config.ts";

// The tarball, installed as a user would: `npm run test:package`. It needs the registry, or npm's cache of it.
export default {
  ...base,
  test: {
    ...base.test,
    include: ["test/package/**/*.test.ts"],
    exclude: [],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
};
