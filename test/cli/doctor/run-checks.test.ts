import { expect, test } from "vitest";
import { createDeadline } from "../../../src/client/deadline.ts";
import type { Check } from "../../../src/cli/doctor/check.ts";
import type { Ground } from "../../../src/cli/doctor/ground.ts";
import { runChecks } from "../../../src/cli/doctor/run-checks.ts";
import { AppError } from "../../../src/core/errors.ts";

function ground(timeoutMs = 60_000, signal = new AbortController().signal): Ground {
  const deadline = createDeadline(timeoutMs, signal);
  // Nothing else of it is used by checks that look at nothing.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { context: { deadline, signal } } as Ground;
}

const good = (name: string): Check => ({
  name,
  look: () => Promise.resolve({ name, state: "ok", message: "well" }),
});
const hanging: Check = { name: "hangs", look: () => new Promise(() => undefined) };

test("one that hangs is a line of its own, the others are there, in their order", async () => {
  const found = await runChecks([good("a"), hanging, good("b")], ground(), { ms: 20 });
  expect(found.map(({ name, state }) => [name, state])).toEqual([
    ["a", "ok"],
    ["hangs", "fail"],
    ["b", "ok"],
  ]);
});

test("the end of the command's time ends them all, and what is known is told", async () => {
  const found = await runChecks([good("a"), hanging], ground(20));
  expect(found.map(({ state }) => state)).toEqual(["ok", "fail"]);
});

test("a check is told that its time is over", async () => {
  let told = false;
  const polite: Check = {
    name: "polite",
    look: (_ground, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          told = true;
          reject(new AppError("timeout", "No answer in time"));
        });
      }),
  };
  const [line] = await runChecks([polite], ground(), { ms: 20 });
  expect(told).toBe(true);
  expect(line).toMatchObject({ name: "polite", state: "fail" });
});

test("one that breaks says what it is, and nothing that nobody looked at", async () => {
  const breaks: Check = { name: "bug", look: () => Promise.reject(new TypeError("od_secret")) };
  const fails: Check = {
    name: "known",
    look: () => Promise.reject(new AppError("unreachable", "it is away", { hint: "agent wait" })),
  };
  expect(await runChecks([breaks, fails], ground())).toEqual([
    { name: "bug", state: "fail", message: "This could not be found out (TypeError)" },
    { name: "known", state: "fail", message: "it is away", mend: "agent wait" },
  ]);
});

test("an interrupted command has no lines", async () => {
  const controller = new AbortController();
  const work = runChecks([hanging], ground(60_000, controller.signal));
  controller.abort(new Error("interrupted"));
  await expect(work).rejects.toThrow("interrupted");
});
