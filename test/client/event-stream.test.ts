import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { readEvents } from "../../src/client/event-stream.ts";
import type { StreamEvent } from "../../src/client/event-stream.ts";

async function read(chunks: readonly string[]): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk, "latin1")));
  for await (const event of readEvents(stream, () => undefined)) events.push(event);
  return events;
}

const expected = [
  { event: "progress", data: '{"a":1}' },
  { event: "message", data: "one\ntwo" },
];

test.each(["\n", "\r\n", "\r"])("reads events whose lines end in %j", async (end) => {
  const text = [
    ": comment",
    "event: progress",
    'data:{"a":1}',
    "",
    "id: 1",
    "data: one",
    "data: two",
    "",
    "",
  ].join(end);
  expect(await read([text])).toEqual(expected);
  expect(await read(Array.from(text))).toEqual(expected);
});

test("characters that fall between two chunks stay whole", async () => {
  const text = Buffer.from("data: grüße\n\n").toString("latin1");
  expect(await read(Array.from(text))).toEqual([{ event: "message", data: "grüße" }]);
});

test("an event that was cut off is none", async () => {
  expect(await read(["event: result\ndata: {}\n"])).toEqual([]);
});

test("whoever counts the bytes can end it", async () => {
  const stream = Readable.from([Buffer.alloc(10)]);
  const events = readEvents(stream, () => {
    throw new Error("enough");
  });
  await expect(events.next()).rejects.toThrow("enough");
});
