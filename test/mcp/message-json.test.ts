import { expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { messageJson, sharedList } from "../../src/mcp/message-json.ts";

const tools: JsonObject[] = [
  {
    name: "a",
    description: 'ünïcode \u2028 "quoted" \ud83d\ude00 \ud800',
    inputSchema: { type: "object" },
  },
  { name: "b", 1: [null, 1.5, true], inputSchema: {} },
];

const results: [string, (list: JsonObject[]) => JsonObject][] = [
  ["of the legacy era", (list) => ({ tools: list })],
  ["of the legacy era with more pages", (list) => ({ tools: list, nextCursor: 'x"y' })],
  [
    "of the modern era",
    (list) => ({ tools: list, resultType: "complete", ttlMs: 0, cacheScope: "private" }),
  ],
  [
    "with members before it, and keys that look like numbers",
    (list) => ({ b: {}, tools: list, 2: "x" }),
  ],
];

it.each(results)("writes a list %s as JSON.stringify does, each time", (_what, resultOf) => {
  const list = structuredClone(tools);
  const shared = sharedList(list);
  expect(shared).toBe(list);
  for (const id of [1, 'a "b"', -0.5]) {
    const message = { jsonrpc: "2.0", id, result: resultOf(list) } as const;
    expect(messageJson(message)).toBe(JSON.stringify(message));
  }
});

it.each([
  { jsonrpc: "2.0", id: 1, result: { content: [{ type: "text", text: "hi" }], isError: false } },
  { jsonrpc: "2.0", id: null, error: { code: -32_600, message: "no" } },
  { jsonrpc: "2.0", method: "notifications/progress", params: { progress: 1 } },
] as const)("writes any other message as JSON.stringify does", (message) => {
  const any = structuredClone<unknown>(message);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a deep copy without its readonly
  expect(messageJson(any as Parameters<typeof messageJson>[0])).toBe(JSON.stringify(message));
});

it("writes an empty list", () => {
  const message = { jsonrpc: "2.0", id: 1, result: { prompts: sharedList([]) } } as const;
  expect(messageJson(message)).toBe(JSON.stringify(message));
});
