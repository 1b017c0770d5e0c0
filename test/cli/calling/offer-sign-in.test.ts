import { expect, test } from "vitest";
import { createInspect } from "../../../src/cli/commands/inspect.ts";
import { AppError } from "../../../src/core/errors.ts";
import { Bench, pipeOf } from "./bench.ts";

/** At a terminal where nobody is signed in until `signIn` ran. */
function strangerTyping(text: string): Bench {
  const bench = new Bench();
  bench.terminal = true;
  bench.stdin = pipeOf(text);
  const known = bench.inventories[0] ?? { servers: [], collisions: [] };
  bench.server.inventory = () =>
    bench.signedIn.length > 0
      ? Promise.resolve(known)
      : Promise.reject(new AppError("auth_required", "needs a sign-in"));
  return bench;
}

const question = "Sign in to http://127.0.0.1:3050 now? [Y/n]";

test.each(["\n", "y\n", "YES\n"])("%j signs in, and does what was asked for", async (typed) => {
  const bench = strangerTyping(typed);
  await bench.run(createInspect(bench.source), { all: false });
  expect(bench.signedIn).toEqual(["http://127.0.0.1:3050/"]);
  // stdout is for the result alone.
  expect(bench.notes).toEqual([question, "Signed in"]);
  expect(bench.stdout).toContain("everything");
  expect(bench.stdout).not.toContain("Signed in");
  expect(bench.connected).toHaveLength(2);
  expect(bench.closed).toBe(2);
});

test.each(["n\n", "what?\n", ""])(
  "%j does not, and the failure stays what it was",
  async (typed) => {
    const bench = strangerTyping(typed);
    await expect(bench.run(createInspect(bench.source), { all: false })).rejects.toMatchObject({
      code: "auth_required",
      hint: "agent auth login",
    });
    expect(bench.notes).toEqual([question]);
    expect(bench.signedIn).toEqual([]);
  },
);

test("is offered once: a server that goes on refusing has the last word", async () => {
  const bench = strangerTyping("y\ny\n");
  const refusal = new AppError("auth_rejected", "rejected the token");
  bench.server.inventory = () => Promise.reject(refusal);
  await expect(bench.run(createInspect(bench.source), { all: false })).rejects.toMatchObject({
    code: "auth_rejected",
  });
  expect(bench.signedIn).toHaveLength(1);
});

test.each([
  ["where nobody sits", {}, (bench: Bench): void => void (bench.terminal = false)],
  ["with --json", { json: true }, undefined],
  ["with --quiet", { quiet: true }, undefined],
  ["in CI", {}, (bench: Bench): void => void (bench.variables = { CI: "1" })],
  ["with --token, which would go on winning", { token: "mine" }, undefined],
  [
    "with ONEDOOR_TOKEN, likewise",
    {},
    (bench: Bench): void => void (bench.variables = { ONEDOOR_TOKEN: "mine" }),
  ],
] as const)("nothing is asked %s", async (_, options, arrange) => {
  const bench = strangerTyping("y\n");
  arrange?.(bench);
  await expect(
    bench.run(createInspect(bench.source), { all: false, ...options }),
  ).rejects.toMatchObject({ code: "auth_required" });
  expect(bench.notes).toEqual([]);
  expect(bench.signedIn).toEqual([]);
});
