import { describe, expect, test } from "vitest";
import { createLineTail } from "../../src/upstream/line-tail.ts";

const tailOf = (...pieces: (string | Buffer)[]) => {
  const tail = createLineTail((line) => line.replaceAll("secret", "[hidden]"));
  for (const piece of pieces) tail.write(Buffer.from(piece));
  return tail;
};

describe("the tail of standard error", () => {
  test("keeps the last 50 lines of 500 characters, the open one included", () => {
    const many = Array.from({ length: 60 }, (_, index) => `line ${index}\r\n`).join("");
    const { lines } = tailOf(many, "y".repeat(100_000), "z");
    expect(lines).toHaveLength(50);
    expect(lines[0]).toBe("line 11");
    expect(lines.at(-1)).toBe("y".repeat(500));
  });

  test("joins pieces, cuts characters nowhere, takes secrets out", () => {
    const bytes = Buffer.from("a sec€");
    expect(
      tailOf("the sec", "ret is", " out\n", bytes.subarray(0, 6), bytes.subarray(6)).lines,
    ).toEqual(["the [hidden] is out", "a sec€"]);
  });

  test("a note of ours and a new process begin a new line", () => {
    const tail = tailOf("unfinished");
    tail.note("note");
    tail.write(Buffer.from("more"));
    tail.finishLine();
    tail.write(Buffer.from("next"));
    expect(tail.lines).toEqual(["unfinished", "note", "more", "next"]);
  });
});
