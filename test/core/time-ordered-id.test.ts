import { expect, test } from "vitest";
import { timeOrderedId } from "../../src/core/time-ordered-id.ts";

const random = "919108f7-52d1-4320-9bac-f847db4148a8";

test("is the example of RFC 9562, appendix A.6, but for its random bits", () => {
  expect(timeOrderedId(0x017f22e279b0, random)).toBe("017f22e2-79b0-7320-9bac-f847db4148a8");
});

test("sorts by time, also before and after clocks anybody has", () => {
  const times = [0, 1, 1_000, Date.UTC(2026, 10, 22), Date.UTC(9999, 0)];
  const ids = times.map((timeMs) => timeOrderedId(timeMs, random));
  expect(ids.toSorted()).toStrictEqual(ids);
  expect(timeOrderedId(-1, random)).toBe(ids[0]);
  for (const id of ids) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7320-9bac-f847db4148a8$/u);
});
