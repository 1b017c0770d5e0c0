import { expect, onTestFinished, test, vi } from "vitest";
import { messageLimits } from "../../src/mcp-client/message-limits.ts";
import { readEventStream } from "../../src/mcp-client/read-event-stream.ts";

test("what is there at once is read in turns", async () => {
  const event = Buffer.from(`data: ${"x".repeat(1000)}\n\n`);
  async function* flood(): AsyncGenerator<Uint8Array> {
    for (let n = 0; n < 100; n++) yield Buffer.concat(Array.from({ length: 64 }, () => event));
  }
  let turns = 0;
  let over = false;
  const turn = (): void => {
    turns++;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  let events = 0;
  await readEventStream(flood(), messageLimits, {
    onEvent: () => events++,
    onRetry: () => undefined,
  });
  over = true;
  expect(events).toBe(6400);
  expect(turns).toBeGreaterThan(600);
});

test("is not read on while it is to rest", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const heard: string[] = [];
  const rests = [500, 0];
  const reading = readEventStream(
    (async function* () {
      yield Buffer.from("data: 1\n\n");
      yield Buffer.from("data: 2\n\n");
    })(),
    messageLimits,
    {
      onEvent: ({ data }) => heard.push(data),
      onRetry: () => undefined,
      restMs: () => rests.shift() ?? 0,
    },
  );
  await vi.advanceTimersByTimeAsync(499);
  expect(heard).toEqual(["1"]);
  await vi.advanceTimersByTimeAsync(1);
  await reading;
  expect(heard).toEqual(["1", "2"]);
});

test("characters that are cut in two by the pieces stay whole", async () => {
  const bytes = Buffer.from("id: 1\nretry: 5\ndata: Grüße, 世界 🎉\n\n");
  const heard: unknown[] = [];
  await readEventStream(
    (async function* () {
      for (const byte of bytes) yield Uint8Array.of(byte);
    })(),
    messageLimits,
    { onEvent: (event) => heard.push(event), onRetry: (retryMs) => heard.push(retryMs) },
  );
  expect(heard).toEqual([5, { id: "1", event: undefined, data: "Grüße, 世界 🎉" }]);
});
