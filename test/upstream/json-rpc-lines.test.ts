import { describe, expect, test } from "vitest";
import { createJsonRpcLines } from "../../src/upstream/json-rpc-lines.ts";

function feed(largest: number, ...pieces: (string | Buffer)[]) {
  const seen: unknown[] = [];
  const lines = createJsonRpcLines(
    { bytes: largest, values: 20 },
    {
      onMessage: (message) => seen.push(message),
      onFaultyAnswer: (id) => seen.push(`no answer to ${id}`),
      onRubbish: (line) => seen.push(`rubbish: ${line}`),
      onOverflow: (limit) => seen.push(`overflow: ${limit}`),
    },
  );
  for (const piece of pieces) {
    lines.push(Buffer.from(piece));
    while (lines.take(2));
  }
  return seen;
}

const notification = (params: unknown): string =>
  JSON.stringify({ jsonrpc: "2.0", method: "x", params });

describe("JSON-RPC lines", () => {
  const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
  const text = JSON.stringify(ping);
  const large = "x".repeat(300 * 1024);

  test("are cut wherever the pieces are cut, even inside a character", () => {
    const message = { ...ping, params: { text: "ü€𝄞" } };
    const bytes = Buffer.from(`${JSON.stringify(message)}\r\n${text}\n`);
    const single = [...bytes].map((byte) => Buffer.from([byte]));
    expect(feed(1000, bytes)).toEqual([message, ping]);
    expect(feed(1000, ...single)).toEqual([message, ping]);
  });

  test("each says what its line cost, those of a batch their share", () => {
    const costs: number[] = [];
    const lines = createJsonRpcLines(
      { bytes: 10_000, values: 1000 },
      {
        onMessage: (_message, _bytes, cost) => costs.push(cost),
        onFaultyAnswer: () => undefined,
        onRubbish: () => undefined,
        onOverflow: () => undefined,
      },
    );
    lines.push(Buffer.from(`${text}\n[${text},${text}]\n${text}\n`));
    while (lines.take(2));
    // Two commas and a bracket in each; two more in the batch.
    const one = text.length + 3 * 16;
    const inBatch = one + (3 + 2 * 16) / 2;
    expect(costs).toEqual([one, inBatch, inBatch, one]);
  });

  test("a batch is its messages", () => {
    expect(feed(1000, `[${text},${text}]\n`)).toEqual([ping, ping]);
  });

  test.each([
    "Server listening",
    "{",
    "[]",
    "5",
    '{"id":1,"method":"x"}',
    '{"jsonrpc":"1.0","id":1,"method":"x"}',
    '{"jsonrpc":"2.0","id":1}',
    '{"jsonrpc":"2.0","result":{}}',
    '{"jsonrpc":"2.0","id":{},"result":{}}',
    `[${text},5]`,
  ])("%s is rubbish and skipped", (line) => {
    expect(feed(1000, `${line}\n\n   \n${text}\n`)).toEqual([`rubbish: ${line}`, ping]);
  });

  test.each(['{"jsonrpc":"2.0","id":7,"result":5}', '{"jsonrpc":"2.0","id":7,"error":"no"}'])(
    "%s is told as the faulty answer to its request",
    (line) => {
      expect(feed(1000, `${line}\n${text}\n`)).toEqual(["no answer to 7", ping]);
    },
  );

  test("unknown members beside the answer do not lose it", () => {
    expect(feed(1000, '{"jsonrpc":"2.0","id":1,"result":{"a":1},"took":5}\n')).toEqual([
      { jsonrpc: "2.0", id: 1, result: { a: 1 } },
    ]);
  });

  test("a line beyond the limit ends it, finished or not", () => {
    expect(feed(2 ** 19, `${text}\n`, large, large, `\n${text}\n`)).toEqual([
      ping,
      "overflow: 0.5 MiB",
    ]);
    expect(feed(2 ** 19, `${large}${large}\n${text}\n`)).toEqual(["overflow: 0.5 MiB"]);
  });

  test("a message of too many values is not parsed; what is in a string counts for one", () => {
    const string = notification({ text: '{[,"\\\\'.repeat(100) });
    expect(feed(1000, `${string}\n`)).toEqual([JSON.parse(string)]);
    expect(
      feed(1000, `${string}\n${notification(Array.from({ length: 20 }, () => ({})))}\n${text}\n`),
    ).toEqual([JSON.parse(string), "overflow: 20 values"]);
  });

  test("are handed on a few at a time, those of a batch too", () => {
    const seen: unknown[] = [];
    const lines = createJsonRpcLines(
      { bytes: 1000, values: 1000 },
      {
        onMessage: (message) => seen.push(message),
        onFaultyAnswer: (id) => seen.push(`no answer to ${id}`),
        onRubbish: (line) => seen.push(line),
        onOverflow: (limit) => seen.push(limit),
      },
    );
    lines.push(Buffer.from(`[${text},${text},${text}]\nrubbish\n${text}\n`));
    const counts = [1, 2, 3].map(() => [lines.take(2), seen.length]);
    expect(counts).toEqual([
      [true, 2],
      [true, 4],
      [false, 5],
    ]);
  });
});
