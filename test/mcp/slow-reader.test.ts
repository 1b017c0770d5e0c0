import { request, type IncomingMessage } from "node:http";
import { expect, it } from "vitest";
import { fakeUpstream, gatewayOf } from "../gateway/fakes.ts";
import { good, startTestServer } from "../http/support.ts";

const mebibyte = 1024 * 1024;

/** The answer to a call of `one__echo` as soon as it begins, nothing of its body read. */
function unreadAnswer(port: number): Promise<IncomingMessage> {
  const params = { name: "one__echo", arguments: { message: "hi" }, _meta: { progressToken: 1 } };
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: "127.0.0.1",
      port,
      path: "/mcp",
      method: "POST",
      headers: {
        ...good,
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
      },
      agent: false,
    });
    outgoing.on("response", resolve);
    outgoing.on("error", reject);
    outgoing.end(JSON.stringify({ jsonrpc: "2.0", id: 7, method: "tools/call", params }));
  });
}

it("piles up no progress for a client that does not read, and still gives it the result", async () => {
  const one = fakeUpstream("one");
  let allReported: (() => void) | undefined;
  const reported = new Promise<void>((resolve) => (allReported = resolve));
  one.answer = async ({ onProgress }) => {
    for (let progress = 1; progress <= 200; progress += 1) {
      onProgress?.({ progress, message: "x".repeat(mebibyte) });
      await new Promise((resolve) => setImmediate(resolve));
    }
    allReported?.();
    return { content: [{ type: "text", text: "the end" }] };
  };
  const server = await startTestServer({ gateway: gatewayOf([one]).gateway });
  const answer = await unreadAnswer(server.port);
  await reported;
  let bytes = 0;
  let tail = "";
  for await (const chunk of answer.setEncoding("utf8")) {
    bytes += String(chunk).length;
    tail = (tail + String(chunk)).slice(-1000);
  }
  await server.close(0);
  expect(tail).toContain("the end");
  // What the sockets' own buffers hold comes through.
  expect(bytes).toBeLessThan(64 * mebibyte);
});
