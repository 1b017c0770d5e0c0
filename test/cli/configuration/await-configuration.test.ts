import { expect, test, vi } from "vitest";
import type { ConfigurationAnswer } from "../../../src/client/administration-answers.ts";
import { awaitConfiguration } from "../../../src/cli/configuration/await-configuration.ts";
import type { AskConfiguration } from "../../../src/cli/configuration/gateway-configuration.ts";
import { AppError } from "../../../src/core/errors.ts";

const [before, mine, later] = ["a".repeat(64), "b".repeat(64), "c".repeat(64)] as const;
const savedAtMs = Date.parse("2026-01-01T00:00:10Z");
const [early, late] = ["2026-01-01T00:00:05Z", "2026-01-01T00:00:15Z"] as const;
const { signal } = new AbortController();

const running = (fingerprint: string, readAt: string): ConfigurationAnswer => ({
  file: "/mcp.json",
  fingerprint,
  loadedAt: readAt,
  readAt,
  problem: null,
});
const refusing = (fingerprint: string | null, readAt: string): ConfigurationAnswer => ({
  ...running(before, readAt),
  problem: {
    message: "no",
    hint: null,
    fingerprint,
    since: readAt,
    server: null,
    variable: null,
    line: null,
  },
});

/** Answers one after the other, the last again and again. */
function verdictAfter(...answers: readonly ConfigurationAnswer[]): Promise<{ kind: string }> {
  let asked = 0;
  const ask = (): Promise<ConfigurationAnswer> => {
    const answer = answers[Math.min(asked, answers.length - 1)] ?? running(before, early);
    asked += 1;
    return Promise.resolve(answer);
  };
  return awaitConfiguration(ask, { fingerprint: mine, savedAtMs }, signal, 300);
}

test.each([
  ["what was written is in effect", [running(mine, early)], "applied"],
  ["it is asked until it has looked", [running(before, early), running(mine, late)], "applied"],
  ["what was written is refused", [running(before, early), refusing(mine, late)], "refused"],
  ["somebody changed it since, and that is in effect", [running(later, late)], "applied"],
  ["somebody changed it since, and that is refused", [refusing(later, late)], "refused"],
  ["it could not be read since", [refusing(null, late)], "refused"],
  [
    "an earlier text was refused, and it has not looked since",
    [refusing(before, early)],
    "unknown",
  ],
  ["it never looks", [running(before, early)], "unknown"],
] as const)("%s", async (_, answers, kind) => {
  expect((await verdictAfter(...answers)).kind).toBe(kind);
});

test("one that cannot say it is no failure, and one that is broken off is told", async () => {
  const failure = new AppError("not_found", "no such path");
  const failing = vi.fn<() => Promise<never>>().mockRejectedValue(failure);
  expect(await awaitConfiguration(failing, { fingerprint: mine }, signal)).toEqual({
    kind: "unknown",
  });
  const ended = AbortSignal.abort(new Error("Ctrl-C"));
  const waiting = vi.fn<AskConfiguration>().mockResolvedValue(running(before, early));
  await expect(awaitConfiguration(waiting, { fingerprint: mine }, ended)).rejects.toHaveProperty(
    "name",
    "AbortError",
  );
});
