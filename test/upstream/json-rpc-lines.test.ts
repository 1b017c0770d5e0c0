import { describe, expect, test } from "vitest";
import { createJsonRpcLines } from "../../src/upstream/json-rpc-lines.ts";

function feed(largest: number, ...pieces: (string | Buffer)[]) {
  const seen: unknown[] = [];
  const take = createJsonRpcLines(largest, {
    onMessage: (message) => seen.push(message),
    onRubbish: (line) => seen.push(`rubbish: ${line}`),
    onOverflow: () => seen.push("overflow"),
  });
  for (const piece of pieces) take(Buffer.from(piece));
  return seen;
}

describe("JSON-RPC lines", () => {
  const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
  const text = JSON.stringify(ping);

  test("are cut wherever the pieces are cut, even inside a character", () => {
    const message = { ...ping, params: { text: "ü€𝄞" } };
    const bytes = Buffer.from(`${JSON.stringify(message)}\r\n${text}\n`);
    const single = [...bytes].map((byte) => Buffer.from([byte]));
    expect(feed(1000, bytes)).toEqual([message, ping]);
    expect(feed(1000, ...single)).toEqual([message, ping]);
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

  test("unknown members beside the answer do not lose it", () => {
    expect(feed(1000, '{"jsonrpc":"2.0","id":1,"result":{"a":1},"took":5}\n')).toEqual([
      { jsonrpc: "2.0", id: 1, result: { a: 1 } },
    ]);
  });

  test("a line beyond the limit ends it, finished or not", () => {
    expect(feed(50, `${text}\n`, "x".repeat(30), "x".repeat(30), `\n${text}\n`)).toEqual([
      ping,
      "overflow",
    ]);
    expect(feed(50, `${"x".repeat(51)}\n${text}\n`)).toEqual(["overflow"]);
  });
});
