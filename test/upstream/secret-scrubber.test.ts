import { describe, expect, test } from "vitest";
import { createSecretScrubber } from "../../src/upstream/secret-scrubber.ts";
import { httpServer, stdioServer } from "./support/pool.ts";

describe("taking secrets out", () => {
  test("header values go, as a whole and their words; the scheme and short ones stay", () => {
    const scrub = createSecretScrubber(
      httpServer("a", "https://x", { Authorization: "Bearer abcdefgh", "X-Mode": "fast" }),
    );
    expect(scrub("no: Bearer abcdefgh, nor abcdefgh; fast Bearer")).toBe(
      "no: [hidden], nor [hidden]; fast Bearer",
    );
  });

  test("values of env go, what every program inherits stays", () => {
    const scrub = createSecretScrubber(
      stdioServer("a", "x", [], {
        PATH: "/usr/local/bin",
        HOME: "/home/me",
        KEY: "12345678",
        N: "123456",
      }),
    );
    expect(scrub("/home/me /usr/local/bin 12345678 123456")).toBe(
      "/home/me /usr/local/bin [hidden] [hidden]",
    );
  });
});
