import { describe, expect, it } from "vitest";
import { createLogger } from "../../../src/cli/serve/create-logger.ts";
import type { Logger } from "../../../src/core/logger.ts";

function logger(readable: boolean, level: "debug" | "info" | "warn" = "info") {
  const lines: string[] = [];
  const log: Logger = createLogger({ write: (line) => lines.push(line), readable, level });
  return { log, lines };
}

describe("the gateway's log", () => {
  it("is one JSON object a line", () => {
    const { log, lines } = logger(false);
    log.warn("Two\nlines", { server: "a", tools: 3 });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { level: 40, time: expect.any(String), msg: "Two\nlines", server: "a", tools: 3 },
    ]);
    expect(lines[0]).not.toContain("\n");
  });

  it("is a line for people on a terminal", () => {
    const { log, lines } = logger(true);
    log.info("Upstream ready", { server: "a b", tools: 3 });
    log.error("Gone");
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d info {2}Upstream ready server="a b" tools=3$/u);
    expect(lines[1]).toMatch(/^\d\d:\d\d:\d\d error Gone$/u);
  });

  it("holds only what is asked for", () => {
    for (const [level, count] of [
      ["debug", 4],
      ["info", 3],
      ["warn", 2],
    ] as const) {
      const { log, lines } = logger(false, level);
      log.debug("d");
      log.info("i");
      log.warn("w");
      log.error("e");
      expect(lines).toHaveLength(count);
    }
  });

  it("masks what should never have been logged", () => {
    for (const readable of [true, false]) {
      const { log, lines } = logger(readable);
      log.info("x", { token: "od_abc", headers: { authorization: "Bearer od_abc" }, id: "kept" });
      expect(lines.join()).not.toContain("od_abc");
      expect(lines.join()).toContain("kept");
    }
  });
});
