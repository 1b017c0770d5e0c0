import { expect, onTestFinished, test, vi } from "vitest";
import { costOfText, createPace } from "../../src/mcp-client/pace.ts";
import { createSseTransport } from "../../src/mcp-client/sse-transport.ts";
import { createStreamableHttpTransport } from "../../src/mcp-client/streamable-http-transport.ts";
import { createRecorder, eventOf, initialize } from "./support/http-client.ts";

const mebibyte = 1024 * 1024;

test("what is said in small pieces costs no rest; what is large is rested for", () => {
  let nowMs = 5000;
  const pace = createPace(() => nowMs);
  for (let n = 0; n < 4; n++) pace.heard(mebibyte);
  expect(pace.restMs()).toBe(0);
  pace.heard(8 * mebibyte);
  expect(pace.restMs()).toBe(2000);
  nowMs += 1500;
  expect(pace.restMs()).toBe(500);
  nowMs += 60_000;
  // A silence saves up for no more than a second.
  pace.heard(8 * mebibyte);
  expect(pace.restMs()).toBe(1000);
});

test("values cost more than their bytes", () => {
  expect(costOfText("[]")).toBe(2 + 16);
  expect(costOfText('{"a":[1,2],"b":"[,{"}')).toBe(21 + 4 * 16);
});

test.each(["http", "sse"] as const)(
  "a server whose notifications are large is not read from for a while (%s)",
  async (kind) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "performance"] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const large = { jsonrpc: "2.0", method: "notifications/large", params: { x: Array(500_000) } };
    const after = { jsonrpc: "2.0", method: "notifications/after" };
    async function* body(): AsyncGenerator<Uint8Array> {
      if (kind === "sse") yield Buffer.from("event: endpoint\ndata: /messages\n\n");
      yield Buffer.from(eventOf(large));
      yield Buffer.from(eventOf(after));
    }
    const headers = { "content-type": "text/event-stream" };
    const create = kind === "http" ? createStreamableHttpTransport : createSseTransport;
    const transport = create({
      url: "http://server.test/mcp",
      headers: {},
      sendHttp: () => Promise.resolve({ status: 200, headers, body: body() }),
    });
    const { receiver, events, until } = createRecorder();
    await transport.start(receiver);
    const on = kind === "http" ? 0 : undefined;
    if (kind === "http") await transport.send(initialize);
    await until(`notifications/large on ${on}`);
    // 500,000 values and 2.5 million bytes are 2.5 s of what it may say, one of them free.
    await vi.advanceTimersByTimeAsync(1000);
    expect(events).toEqual([`notifications/large on ${on}`]);
    await vi.advanceTimersByTimeAsync(1000);
    await until(`notifications/after on ${on}`);
  },
);
