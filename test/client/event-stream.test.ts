import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { findInEvents } from "../../src/client/event-stream.ts";
import type { StreamEvent } from "../../src/mcp-client/read-event-stream.ts";

const limits = { maxLength: 1_000, tooLong: () => new Error("enough") };

function streamOf(chunks: readonly string[]): Readable {
  return Readable.from(chunks.map((chunk) => Buffer.from(chunk, "latin1")));
}

async function read(chunks: readonly string[]): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  await findInEvents(streamOf(chunks), (event) => void events.push(event), limits);
  return events;
}

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
    ": the last",
    "",
  ].join(end);
  const expected = [{ event: "progress", data: '{"a":1}' }, { data: "one\ntwo" }];
  expect(await read([text])).toMatchObject(expected);
  expect(await read(Array.from(text))).toMatchObject(expected);
});

test("characters that fall between two chunks stay whole", async () => {
  const text = Buffer.from("data: grüße\n\n").toString("latin1");
  expect(await read(Array.from(text))).toMatchObject([{ data: "grüße" }]);
});

test("an event that was cut off is none", async () => {
  expect(await read(["event: result\ndata: {}\n"])).toEqual([]);
});

test("what was found ends the reading, whatever follows and though nothing does", async () => {
  const stream = new Readable({ read: () => undefined });
  stream.push("data: 1\n\ndata: 2\n\ndata: 3\n\n");
  const seen: string[] = [];
  const found = await findInEvents(
    stream,
    ({ data }) => {
      seen.push(data);
      return data === "2" ? data : undefined;
    },
    limits,
  );
  expect([found, seen, stream.destroyed]).toEqual(["2", ["1", "2"], true]);
});

test("each event is bounded, not the stream; what is thrown ends it", async () => {
  const short = `data: ${"x".repeat(500)}\n\n`;
  expect(await read(Array.from({ length: 10 }, () => short))).toHaveLength(10);
  await expect(read(["data: ", "x".repeat(600), "x".repeat(600)])).rejects.toThrow("enough");
  const stream = streamOf([short, short]);
  await expect(
    findInEvents(
      stream,
      () => {
        throw new Error("refused");
      },
      limits,
    ),
  ).rejects.toThrow("refused");
  expect(stream.destroyed).toBe(true);
});
