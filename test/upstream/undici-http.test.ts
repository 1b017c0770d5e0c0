import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { Socket } from "node:net";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { readText } from "../../src/mcp-client/ask-http.ts";
import { messageLimits } from "../../src/mcp-client/message-limits.ts";
import { createUndiciHttp } from "../../src/upstream/undici-http.ts";

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** Its sockets, and a request to it. */
async function serve(answer: RequestListener) {
  const sockets = new Set<Socket>();
  const server = createServer(answer).on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const http = createUndiciHttp();
  ends.push(
    () => http.close(),
    () => server.closeAllConnections(),
    () => void server.close(),
  );
  const never = new AbortController().signal;
  const ask = (signal = never) =>
    http.send({
      method: "POST",
      url: new URL(`http://127.0.0.1:${port}/a?b=c`),
      headers: { "content-type": "text/plain" },
      body: "question",
      signal,
    });
  return { sockets, ask };
}

it("sends a request and has a short answer whole", async () => {
  const { ask } = await serve((request, response) => {
    response.setHeader("x-twice", ["1", "2"]);
    request.on("data", (body) => response.end(`${request.method} ${request.url} ${body}`));
  });
  const answer = await ask();
  expect(answer.status).toBe(200);
  expect(answer.headers["x-twice"]).toBe("1, 2");
  expect(answer.body.whole?.toString()).toBe("POST /a?b=c question");
  expect(await readText(answer.body, 100, messageLimits)).toBe("POST /a?b=c question");
});

it("uses a connection again once its answer is there", async () => {
  const { sockets, ask } = await serve((_request, response) => void response.end("x"));
  for (let asked = 0; asked < 5; asked++) {
    await readText((await ask()).body, 10, messageLimits);
    await nextTurn();
  }
  expect(sockets.size).toBe(1);
});

it("hands on what comes as it comes", async () => {
  const { ask } = await serve((_request, response) => {
    response.write("first");
    setTimeout(() => response.end("second"), 30);
  });
  const { body } = await ask();
  expect(body.whole).toBeUndefined();
  const chunks: string[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk).toString());
  expect(chunks).toEqual(["first", "second"]);
});

it("leaves at the server what nobody reads, and reads on when somebody does", async () => {
  const size = 32 * 1024 ** 2;
  let sent = 0;
  const { ask } = await serve((_request, response) => {
    const piece = Buffer.alloc(64 * 1024, "x");
    const write = (): void => {
      while (sent < size) {
        sent += piece.length;
        if (!response.write(piece)) return void response.once("drain", write);
      }
      response.end();
    };
    write();
  });
  const { body } = await ask();
  await pause(200);
  expect(sent).toBeLessThan(size / 2);
  expect(await readText(body, size, messageLimits)).toHaveLength(size);
});

it("closes the connection of an answer whose rest is not wanted", async () => {
  const { sockets, ask } = await serve((_request, response) => void response.write("endless"));
  const left = await ask();
  await left.body[Symbol.asyncIterator]().return?.();
  const cut = await ask();
  expect(await readText(cut.body, 3, "cut")).toBe("end");
  await expect.poll(() => [...sockets].every(({ destroyed }) => destroyed)).toBe(true);
});

it("rejects with the reason of the abort, before, while and after a request is sent", async () => {
  const reason = new Error("no longer");
  const { ask } = await serve((request, response) => {
    if (request.headers["content-length"] === "8") response.write("head");
  });
  await expect(ask(AbortSignal.abort(reason))).rejects.toBe(reason);
  const early = new AbortController();
  const asked = ask(early.signal);
  early.abort(reason);
  await expect(asked).rejects.toBe(reason);
  const late = new AbortController();
  const { body } = await ask(late.signal);
  setTimeout(() => late.abort(reason), 20);
  await expect(readText(body, 100, messageLimits)).rejects.toBe(reason);
});

it("says of a body that it broke off", async () => {
  const { ask } = await serve((_request, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half", () => setTimeout(() => response.destroy(), 20));
  });
  const { body } = await ask();
  await expect(readText(body, 100, messageLimits)).rejects.toThrow("other side closed");
});

it("sends no header that is none", async () => {
  const http = createUndiciHttp();
  ends.push(() => http.close());
  const asked = http.send({
    method: "GET",
    url: new URL("http://127.0.0.1:9/"),
    headers: { "x-token": "a\r\nx-other: b" },
    signal: new AbortController().signal,
  });
  await expect(asked).rejects.toThrow("invalid x-token header");
});
