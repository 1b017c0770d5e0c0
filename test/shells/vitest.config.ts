import base from "../vitest.config.ts";

// The shells that not every machine has, of Debian's packages zsh and fish: `npm run test:shells`. Where they
// are missing it fails; it never skips.
export default {
  ...base,
  test: { ...base.test, include: ["test/shells/**/*.test.ts"], exclude: [] },
};
