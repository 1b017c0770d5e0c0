import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withHiddenInput } from "../../src/cli/hidden-input.ts";
import { Bench } from "./auth/bench.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

test("the command's clock stands still for the person, and runs for what is done between", async () => {
  const bench = new Bench();
  bench.timeoutMs = 5000;
  const stdin = Object.assign(new PassThrough(), { setRawMode: (): void => undefined });
  bench.stdin = stdin;
  const { context } = bench;
  const { deadline } = context;
  await withHiddenInput(context, async (ask) => {
    const asked = ask("Password:");
    await vi.advanceTimersByTimeAsync(60_000);
    stdin.write("secret\r");
    expect(await asked).toBe("secret");
    expect(deadline.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(5000);
    expect(deadline.signal.aborted).toBe(true);
  });
  bench.remove();
});
