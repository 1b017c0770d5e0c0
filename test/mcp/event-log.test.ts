import { expect, it } from "vitest";
import { createEventLog } from "../../src/mcp/event-log.ts";
import { createResumableSink } from "../../src/mcp/resumable-sink.ts";
import type { StreamLog } from "../../src/mcp/event-log.ts";

const limits = { sessionEvents: 4, sessionBytes: 100, totalBytes: 150 };
const texts = (log: StreamLog, after = 0) => log.after(after).map(({ text }) => text);
const fill = (log: StreamLog, ...events: string[]): void => {
  for (const [index, text] of events.entries()) log.append({ sequence: index + 1, text });
};

it("gives what came after an event, of one stream", () => {
  const session = createEventLog(limits).session();
  const [one, two] = [session.stream(), session.stream()];
  fill(one, "a", "b", "c");
  fill(two, "x");
  expect(texts(one, 1)).toEqual(["b", "c"]);
  expect(texts(two)).toEqual(["x"]);
  one.clear();
  expect(texts(one)).toEqual([]);
});

it("keeps to a session's bounds of count and size, the oldest of all its streams going first", () => {
  const session = createEventLog(limits).session();
  const [one, two] = [session.stream(), session.stream()];
  fill(one, "a", "b");
  fill(two, "x", "y", "z");
  expect([texts(one), texts(two)]).toEqual([["b"], ["x", "y", "z"]]);
  const long = "l".repeat(99);
  two.append({ sequence: 4, text: long });
  expect([texts(one), texts(two)]).toEqual([[], ["z", long]]);
  two.append({ sequence: 5, text: "l".repeat(101) });
  expect(texts(two)).toEqual(["z", long]);
});

it("keeps to the bound of all sessions, and what is cleared makes room", () => {
  const log = createEventLog(limits);
  const [first, second] = [log.session().stream(), log.session().stream()];
  fill(first, "a".repeat(80));
  fill(second, "b".repeat(80));
  expect([texts(first).length, texts(second).length]).toEqual([0, 1]);
  second.clear();
  fill(first, "c".repeat(70), "d".repeat(20));
  const third = log.session().stream();
  fill(third, "e".repeat(60));
  expect([texts(first).length, texts(third).length]).toEqual([2, 1]);
});

it("is rid of a stream's events when the stream is given up", () => {
  const log = createEventLog(limits).session().stream();
  const given: string[] = [];
  const sink = createResumableSink({
    name: "post-1",
    log,
    primed: true,
    keepAliveMs: 1_000,
    keepMs: 1_000,
    onAbandoned: () => given.push("up"),
  });
  sink.write("a");
  expect(texts(log)).toEqual(["a"]);
  sink.abandon();
  sink.abandon();
  sink.write("b");
  expect([texts(log), given, sink.keepsUp()]).toEqual([[], ["up"], false]);
});
