import { expect, it } from "vitest";
import { holdBack } from "../../../src/cli/serve/held-logger.ts";
import type { Logger } from "../../../src/core/logger.ts";

it("says nothing before it is released, then everything in its order", () => {
  const said: unknown[] = [];
  const log: Logger = {
    debug: (...entry) => said.push(["debug", ...entry]),
    info: (...entry) => said.push(["info", ...entry]),
    warn: (...entry) => said.push(["warn", ...entry]),
    error: (...entry) => said.push(["error", ...entry]),
  };
  const { logger, release } = holdBack(log);
  logger.warn("one", { field: 1 });
  logger.debug("two");
  expect(said).toEqual([]);
  release();
  logger.info("three");
  logger.error("four");
  expect(said).toEqual([
    ["warn", "one", { field: 1 }],
    ["debug", "two"],
    ["info", "three"],
    ["error", "four"],
  ]);
});
