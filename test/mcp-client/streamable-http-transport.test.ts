import { describe, expect, test } from "vitest";
import { sendJson } from "../client/support/fake-server.ts";
import type { SeenRequest } from "../client/support/fake-server.ts";
import {
  answerTo,
  call,
  connect,
  eventOf,
  initialize,
  openStream,
  serve,
} from "./support/http-client.ts";

describe("what is sent", () => {
  test("legacy: session and version once they are settled; the configured headers, but none of ours", async () => {
    const { transport, server, until } = await connect(
      (request, response) => {
        const { method = "", id } = JSON.parse(request.body || "{}");
        if (method === "initialize") response.setHeader("mcp-session-id", "s-1");
        if (id === undefined) response.writeHead(202).end();
        else sendJson(response, 200, answerTo(id));
      },
      {
        headers: {
          Authorization: "Bearer x",
          Accept: "text/html",
          "MCP-Session-Id": "forged",
          "Mcp-Protocol-Version": "forged",
        },
      },
    );
    expect(transport.hasSession).toBe(false);
    await transport.send(initialize);
    await until("answer 0 on 0");
    expect(transport.hasSession).toBe(true);
    transport.settled?.("2025-06-18");
    await transport.send(call(1), {
      headers: { "Mcp-Param-Region": "eu", "mcp-session-id": "forged" },
    });
    await transport.send({ jsonrpc: "2.0", method: "notifications/x" });
    await transport.close();
    const common = {
      authorization: "Bearer x",
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
    };
    const session = { "mcp-session-id": "s-1", "mcp-protocol-version": "2025-06-18" };
    expect(server.requests.map(({ method, body, headers }) => ({ method, body, headers }))).toEqual(
      [
        {
          method: "POST",
          body: JSON.stringify(initialize),
          headers: expect.objectContaining(common),
        },
        {
          method: "POST",
          body: JSON.stringify(call(1)),
          headers: expect.objectContaining({ ...common, ...session, "mcp-param-region": "eu" }),
        },
        { method: "POST", body: expect.any(String), headers: expect.objectContaining(session) },
        {
          method: "DELETE",
          body: "",
          headers: expect.objectContaining({ ...session, authorization: "Bearer x" }),
        },
      ],
    );
    expect(server.requests[0]?.headers).not.toHaveProperty("mcp-session-id");
    expect(server.requests[0]?.headers).not.toHaveProperty("mcp-protocol-version");
  });

  test.each([
    ["tools/call", { name: "plain-name" }, "plain-name"],
    ["prompts/get", { name: "Grüße, 世界" }, "=?base64?R3LDvMOfZSwg5LiW55WM?="],
    ["resources/read", { uri: "a:b\r\nEvil: 1" }, "=?base64?YTpiDQpFdmlsOiAx?="],
    ["tools/call", { name: "=?base64?eA==?=" }, "=?base64?PT9iYXNlNjQ/ZUE9PT89?="],
    ["tools/call", { name: 7 }, undefined],
    ["tools/list", { name: "x" }, undefined],
    ["constructor", { name: "x" }, undefined],
  ])("modern: %s %j repeats itself in headers", async (method, params, name) => {
    const { transport, server } = await connect((_request, response) =>
      sendJson(response, 200, answerTo(1)),
    );
    const _meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28" };
    await transport.send({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta } });
    const headers = server.requests[0]?.headers;
    expect(headers).toMatchObject({ "mcp-protocol-version": "2026-07-28", "mcp-method": method });
    expect(headers?.["mcp-name"]).toBe(name);
  });

  test.each(["not sendable\u00ff", "x".repeat(2000)])(
    "a session id that no header can carry is none",
    async (id) => {
      const { transport, until } = await connect((_request, response) => {
        response.setHeader("mcp-session-id", id);
        sendJson(response, 200, answerTo(0));
      });
      await transport.send(initialize);
      await until("answer 0 on 0");
      expect(transport.hasSession).toBe(false);
    },
  );
});

describe("answers", () => {
  test.each([
    ["application/json", 'application/json; charset="utf-8"', JSON.stringify(answerTo(1))],
    ["an event stream", "Text/Event-Stream", eventOf(answerTo(1), "event: message\nid: 1\n")],
    [
      "CRLF and a comment",
      "text/event-stream",
      `: hi\r\n\r\n${eventOf(answerTo(1)).replaceAll("\n", "\r\n")}`,
    ],
    [
      "data of several lines",
      "text/event-stream",
      'data: {"jsonrpc":"2.0","id":1,\ndata: "result":{}}\n\n',
    ],
    ["a batch", "application/json", JSON.stringify([answerTo(1), { jsonrpc: "2.0", method: "n" }])],
  ])("as %s", async (_what, type, body) => {
    const { transport, until, messages } = await connect((_request, response) => {
      response.writeHead(200, { "content-type": type }).end(body);
    });
    await transport.send(call(1));
    await until("answer 1 on 1");
    expect(messages[0]).toEqual({ message: answerTo(1), on: 1 });
  });

  test("arrive as they come, with all that the server says before them", async () => {
    let finish: (() => void) | undefined;
    const { transport, until, events } = await connect((_request, response) => {
      openStream(response);
      response.write(eventOf({ jsonrpc: "2.0", method: "notifications/message" }));
      response.write(eventOf({ jsonrpc: "2.0", id: "q", method: "ping" }));
      response.write("event: other\ndata: not json\n\ndata:\n\n");
      finish = () => response.end(eventOf(answerTo(1)));
    });
    await transport.send(call(1));
    await until("ping on 1");
    finish?.();
    await until("answer 1 on 1");
    expect(events).toEqual(["notifications/message on 1", "ping on 1", "answer 1 on 1"]);
  });

  const tooMany = `{"jsonrpc":"2.0","id":1,"result":{"x":[${"{},".repeat(60)}{}]}}`;
  const tooDeep = `{"jsonrpc":"2.0","id":1,"result":{"x":${"[".repeat(60)}${"]".repeat(60)}}}`;
  const tooLong = `{"jsonrpc":"2.0","id":1,"result":{"x":"${"x".repeat(5000)}"}}`;
  test.each([
    ["HTML", "text/html", "<html>", "it answered with something that is not MCP"],
    ["no type", "", "{}", "it answered with something that is not MCP"],
    ["no JSON", "application/json", "{]", "it sent something that is not JSON"],
    ["no message", "application/json", "{}", "it answered with something that is not a result"],
    ["too many values", "application/json", tooMany, "it sent a message of more than 100 values"],
    [
      "too many values in an event",
      "text/event-stream",
      eventOf(tooMany),
      "it sent a message of more than 100 values",
    ],
    ["too deep", "application/json", tooDeep, "it sent something nested too deeply"],
    [
      "too deep in an event",
      "text/event-stream",
      eventOf(tooDeep),
      "it sent something nested too deeply",
    ],
    ["too long", "application/json", tooLong, "it sent a message of more than 0.00390625 MiB"],
    [
      "too long in an event",
      "text/event-stream",
      eventOf(tooLong),
      "it sent a message of more than 0.00390625 MiB",
    ],
  ])("of no use fail their request: %s", async (_what, type, body, reason) => {
    const { transport, until, messages } = await connect(
      (_request, response) => {
        response.writeHead(200, type === "" ? {} : { "content-type": type }).end(body);
      },
      { messageLimits: { bytes: 4096, values: 100, depth: 50 } },
    );
    await transport.send(call(1));
    await until(`fault of 1: ${reason}`);
    expect(messages).toEqual([]);
  });

  test("a request that is only accepted (202) has no answer", async () => {
    const { transport, until, messages } = await connect((_request, response) => {
      response.writeHead(202).end();
    });
    await transport.send(call(1));
    await until("fault of 1: it answered with something that is not MCP");
    expect(messages).toEqual([]);
  });

  test.each(["application/json", "text/event-stream"])(
    "of a hundred megabytes are given up on the way: %s",
    async (type) => {
      let hungUp: Promise<void> | undefined;
      const { transport, until, messages } = await connect((request, response) => {
        ({ hungUp } = request);
        response.writeHead(200, { "content-type": type });
        response.write('data: {"jsonrpc":"2.0","id":1,"result":{"x":"');
        const chunk = Buffer.alloc(1024 * 1024, 0x78);
        let left = 100;
        const more = (): void => {
          while (left-- > 0) if (!response.write(chunk)) return;
          response.end('"}}\n\n');
        };
        response.on("drain", more);
        more();
      });
      await transport.send(call(1));
      await until("fault of 1: it sent a message of more than 16 MiB");
      await hungUp;
      expect(messages).toEqual([]);
    },
  );

  test("that are cut off end the request", async () => {
    const { transport, events, until } = await connect((request, response) => {
      const json = request.body.includes('"json"');
      response.writeHead(200, { "content-type": json ? "application/json" : "text/event-stream" });
      response.write(json ? "{" : "data: {", () => response.destroy());
    });
    await transport.send(call(1, { name: "json" }));
    await until("end of 1: the connection failed (ECONNRESET)");
    await transport.send(call(2, { name: "stream" }));
    await until("end of 2: the connection failed (ECONNRESET)");
    expect(events).toHaveLength(2);
  });

  test("a stream that ends without one ends the request, too; an event without its end is none", async () => {
    const { transport, until, messages } = await connect((_request, response) => {
      openStream(response);
      response.end(eventOf(answerTo(1)).trimEnd());
    });
    await transport.send(call(1));
    await until("end of 1: it ended the stream without an answer");
    expect(messages).toEqual([]);
  });

  test("a stream that stays open after its answer is closed by us", async () => {
    let hungUp: Promise<void> | undefined;
    const { transport, until, events } = await connect((request, response) => {
      ({ hungUp } = request);
      openStream(response);
      response.write(eventOf(answerTo(1)));
    });
    await transport.send(call(1));
    await until("answer 1 on 1");
    await hungUp;
    expect(events).toHaveLength(1);
  });

  test("that never come end with the abort, before the head and after it", async () => {
    const seen: SeenRequest[] = [];
    const { transport, events } = await connect((request, response) => {
      seen.push(request);
      if (seen.length === 2) openStream(response);
    });
    const first = new AbortController();
    const sending = transport.send(call(1), { signal: first.signal });
    const second = new AbortController();
    const open = transport.send(call(2), { signal: second.signal });
    await expect.poll(() => seen.length).toBe(2);
    first.abort();
    second.abort();
    await Promise.allSettled([sending, open]);
    await Promise.all(seen.map(({ hungUp }) => hungUp));
    expect(events).toEqual([]);
  });

  test("a flood on one stream leaves others their turn", async () => {
    const { transport, until, messages } = await connect((request, response) => {
      if (request.body.includes('"id":2')) {
        sendJson(response, 200, answerTo(2));
        return;
      }
      openStream(response);
      const many = eventOf({ jsonrpc: "2.0", method: "n" }).repeat(2000);
      const more = (): void => {
        while (!response.destroyed) if (!response.write(many)) return;
      };
      response.on("drain", more);
      more();
    });
    const flood = new AbortController();
    await transport.send(call(1), { signal: flood.signal });
    await until("n on 1");
    await transport.send(call(2));
    await until("answer 2 on 2");
    flood.abort();
    expect(messages.length).toBeGreaterThan(1);
  });
});

describe("refusals", () => {
  test("are thrown with status, headers and the beginning of their body", async () => {
    const { transport } = await connect((_request, response) => {
      response.writeHead(429, { "retry-after": "7" }).end("x".repeat(200_000));
    });
    await expect(transport.send(call(1))).rejects.toMatchObject({
      name: "HttpStatusError",
      status: 429,
      headers: { "retry-after": "7" },
      body: "x".repeat(64 * 1024),
    });
  });

  test("a redirect is followed within the origin, when it keeps the method", async () => {
    const { transport, until, server } = await connect((request, response) => {
      const target = request.path === "/mcp" ? "/mcp/" : "/real";
      if (request.path === "/real") sendJson(response, 200, answerTo(1));
      else response.writeHead(request.path === "/mcp" ? 307 : 308, { location: target }).end();
    });
    await transport.send(call(1));
    await until("answer 1 on 1");
    expect(server.requests.map(({ method, path, body }) => [method, path, body])).toEqual(
      ["/mcp", "/mcp/", "/real"].map((path) => ["POST", path, JSON.stringify(call(1))]),
    );
  });

  test.each([
    ["another origin", 307],
    ["itself, for ever", 308],
    ["a method of its own", 302],
  ])("a redirect to %s is not followed", async (what, status) => {
    const elsewhere = await serve((_request, response) => sendJson(response, 200, answerTo(1)));
    const { transport, server } = await connect((_request, response) => {
      const location = what === "another origin" ? `${elsewhere.url}/mcp?token=1` : "/mcp";
      response.writeHead(status, { location }).end();
    });
    const failure = await transport.send(call(1)).catch((error) => error);
    expect(failure).toMatchObject({ name: "HttpStatusError", status });
    expect(failure.message).toMatch(/^it redirects to http:\/\/127\.0\.0\.1:\d+\/mcp,/u);
    expect(elsewhere.requests).toEqual([]);
    expect(server.requests.length).toBeLessThanOrEqual(6);
  });
});

describe("closing", () => {
  test("says what was said last before it ends the session, then nothing more", async () => {
    const order: string[] = [];
    let answer: (() => void) | undefined;
    const { transport, until, server } = await connect((request, response) => {
      const { method = request.method } = JSON.parse(request.body || "{}");
      order.push(method);
      response.setHeader("mcp-session-id", "s");
      if (method === "initialize") sendJson(response, 200, answerTo(0));
      else if (method === "notifications/cancelled") answer = () => response.writeHead(202).end();
      else if (method === "tools/call") openStream(response);
      else response.writeHead(200).end();
    });
    await transport.send(initialize);
    await until("answer 0 on 0");
    await transport.send(call(1));
    void transport.send({ jsonrpc: "2.0", method: "notifications/cancelled" });
    const closing = transport.close();
    await server.requests[1]?.hungUp;
    await expect.poll(() => answer).toBeDefined();
    expect(order).not.toContain("DELETE");
    answer?.();
    await closing;
    expect(order).toEqual(["initialize", "tools/call", "notifications/cancelled", "DELETE"]);
    await expect(transport.send(call(2))).rejects.toThrow("closed");
    expect(transport.hasSession).toBe(false);
  });

  test("does not wait for a server that does not answer", async () => {
    const { transport, until, events } = await connect(
      (request, response) => {
        response.setHeader("mcp-session-id", "s");
        if (request.body.includes("initialize")) sendJson(response, 200, answerTo(0));
      },
      { goodbyeMs: 20 },
    );
    await transport.send(initialize);
    await until("answer 0 on 0");
    const pending = transport.send({ jsonrpc: "2.0", method: "notifications/x" });
    await Promise.all([transport.close(), transport.close()]);
    await expect(pending).rejects.toThrow(/socket hang up|aborted/u);
    expect(events).toEqual(["answer 0 on 0"]);
  });
});
