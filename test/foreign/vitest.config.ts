import base from "../vitest.config.ts";

// Other people's MCP clients, installed by `npm run test:foreign` into this folder's own node_modules.
export default {
  ...base,
  test: {
    ...base.test,
    include: ["test/foreign/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
};
