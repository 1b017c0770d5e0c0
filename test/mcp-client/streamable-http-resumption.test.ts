import { describe, expect, test } from "vitest";
import { sendJson } from "../client/support/fake-server.ts";
import { answerTo, call, connect, eventOf, initialize, openStream } from "./support/http-client.ts";

describe("resumption", () => {
  test("a request's stream that breaks off goes on where it was", async () => {
    const { transport, until, events, server } = await connect((request, response) => {
      openStream(response);
      if (request.method === "POST") {
        response.write("id: e1\nretry: 1\ndata:\n\n");
        response.end(eventOf({ jsonrpc: "2.0", method: "n" }, "id: e2\n"));
      } else if (request.headers["last-event-id"] === "e2") {
        response.write(eventOf({ jsonrpc: "2.0", method: "m" }, "id: e3\n"), () =>
          response.destroy(),
        );
      } else response.end(eventOf(answerTo(1), "id: e4\n"));
    });
    transport.settled?.("2025-11-25");
    await transport.send(call(1));
    await until("answer 1 on 1");
    expect(events).toEqual(["n on 1", "m on 1", "answer 1 on 1"]);
    expect(
      server.requests.map(({ method, headers }) => [method, headers["last-event-id"]]),
    ).toEqual([
      ["POST", undefined],
      ["GET", "e2"],
      ["GET", "e3"],
    ]);
    expect(server.requests[1]?.headers).toMatchObject({
      accept: "text/event-stream",
      "mcp-protocol-version": "2025-11-25",
    });
  });

  test.each([
    ["without an id there is none", "", 1],
    ["nor with one that no header can carry", "id: \u00e9\n", 1],
    ["a server that does not offer it is asked once", "id: 1\n", 2],
  ])("%s", async (_what, fields, requests) => {
    const { transport, until, server } = await connect((request, response) => {
      if (request.method === "GET") {
        response.writeHead(405).end();
        return;
      }
      openStream(response);
      response.end(eventOf({ jsonrpc: "2.0", method: "n" }, fields));
    });
    await transport.send(call(1));
    await until("end of 1: it ended the stream without an answer");
    expect(server.requests).toHaveLength(requests);
  });

  test("a server that breaks down meanwhile is asked three times", async () => {
    const { transport, until, server } = await connect((request, response) => {
      if (request.method === "GET") {
        response.writeHead(503).end();
        return;
      }
      openStream(response);
      response.end("id: 1\ndata:\n\n");
    });
    await transport.send(call(1));
    await until("end of 1: it ended the stream without an answer");
    expect(server.requests).toHaveLength(4);
  });

  test("is not for modern requests, nor after an abort", async () => {
    const { transport, until, server } = await connect((_request, response) => {
      openStream(response);
      response.end("id: 1\ndata:\n\n");
    });
    const _meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28" };
    await transport.send(call(1, { _meta }));
    await until("end of 1: it ended the stream without an answer");
    await transport.send(call(2), { signal: AbortSignal.timeout(1) }).catch(() => undefined);
    expect(server.requests.filter(({ method }) => method === "GET")).toEqual([]);
  });
});

describe("the common stream", () => {
  test("brings what the server says outside of requests, and goes on after a break", async () => {
    const { transport, until, events, server } = await connect((request, response) => {
      openStream(response);
      const again = request.headers["last-event-id"];
      const method = again === undefined ? "one" : "two";
      response.write(eventOf({ jsonrpc: "2.0", method }, "id: 7\nretry: 1\n"));
      if (again === undefined) response.end();
    });
    transport.listen?.();
    await until("two on undefined");
    expect(events).toEqual(["one on undefined", "two on undefined"]);
    expect(server.requests.map(({ headers }) => headers["last-event-id"])).toEqual([
      undefined,
      "7",
    ]);
  });

  test.each([[400], [404], [405], [401]])(
    "HTTP %i: the server offers none, which is no fault",
    async (status) => {
      const { transport, events, server } = await connect((request, response) => {
        if (request.method === "GET") response.writeHead(status).end();
        else sendJson(response, 200, answerTo(1));
      });
      transport.listen?.();
      await expect.poll(() => server.requests.length).toBe(1);
      await transport.send(call(1));
      await expect.poll(() => events).toEqual(["answer 1 on 1"]);
      expect(server.requests).toHaveLength(2);
    },
  );

  test.each([
    [404, true, "it forgot our session"],
    [404, false, "it answered with HTTP 404"],
    [401, true, "it answered with HTTP 401"],
    [503, true, "it answered with HTTP 503"],
  ])(
    "that is refused (%i) after it stood means the server is lost",
    async (status, session, reason) => {
      let gets = 0;
      const { transport, until, events } = await connect((request, response) => {
        if (request.method === "POST") {
          if (session) response.setHeader("mcp-session-id", "s");
          sendJson(response, 200, answerTo(0));
        } else if (request.method === "GET" && gets++ === 0) {
          openStream(response);
          response.end(eventOf({ jsonrpc: "2.0", method: "n" }));
        } else response.writeHead(status).end();
      });
      await transport.send(initialize);
      await until("answer 0 on 0");
      transport.listen?.();
      await until(`lost: ${reason}`);
      expect(events).toEqual(["answer 0 on 0", "n on undefined", `lost: ${reason}`]);
    },
  );

  test("a server that is gone is lost", async () => {
    const { transport, until, events, server } = await connect((_request, response) => {
      openStream(response);
      response.write(eventOf({ jsonrpc: "2.0", method: "n" }));
    });
    transport.listen?.();
    await until("n on undefined");
    await server.close();
    await until("lost: the connection failed (ECONNREFUSED)");
    expect(events).toHaveLength(2);
  });

  test("a message beyond the limits is told, and the stream opened anew", async () => {
    let gets = 0;
    const { transport, until, messages } = await connect(
      (_request, response) => {
        openStream(response);
        const long = eventOf({ jsonrpc: "2.0", method: "n", params: { x: "x".repeat(5000) } });
        response.write(gets++ === 0 ? long : eventOf({ jsonrpc: "2.0", method: "m" }));
      },
      { messageLimits: { bytes: 4096, values: 100, depth: 50 } },
    );
    transport.listen?.();
    await until("fault of undefined: it sent a message of more than 0.00390625 MiB");
    await until("m on undefined");
    expect(messages).toHaveLength(1);
  });
});
