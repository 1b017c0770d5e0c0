import { expect, test } from "vitest";
import { onePage } from "../../../src/cli/render/one-page.ts";

const list = Array.from({ length: 250 }, (_, index) => ({ name: `tool${index}` }));

test("a hundred, unless told otherwise, and where it goes on", () => {
  const first = onePage(list, { all: false });
  expect(first).toMatchObject({ nextCursor: "tool99", left: 150 });
  expect(first.entries).toHaveLength(100);
  const second = onePage(list, { all: false, limit: 2, cursor: "tool99" });
  expect(second).toEqual({ entries: [list[100], list[101]], nextCursor: "tool101", left: 148 });
});

test("the last page has no next one", () => {
  const last = onePage(list, { all: false, cursor: "tool199" });
  expect(last.entries).toHaveLength(50);
  expect(last).not.toHaveProperty("nextCursor");
  expect(onePage(list, { all: true }).entries).toHaveLength(250);
  expect(onePage([], { all: false })).toEqual({ entries: [], left: 0 });
});

test.each([
  [{ all: true, limit: 1 }, "--all shows everything"],
  [{ all: true, cursor: "tool1" }, "--all shows everything"],
  [{ all: false, limit: 0 }, "--limit must be a whole number from 1"],
  [{ all: false, limit: 1.5 }, "--limit must be a whole number from 1"],
  [{ all: false, cursor: "gone" }, "--cursor names no entry"],
])("%j is refused", (options, message) => {
  expect(() => onePage(list, options)).toThrow(
    expect.objectContaining({ code: "usage", message: expect.stringContaining(message) }),
  );
});
