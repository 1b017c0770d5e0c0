import type { ServerResponse } from "node:http";
import { describe, expect, test, vi } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { createDeferred } from "../../src/upstream/deferred.ts";
import { fakeModernClient, fakeSession } from "./support/client.ts";
import { answerJson, legacySessions, openHttpUpstream } from "./support/http-upstream.ts";
import type { Received } from "./support/http-upstream.ts";
import { callOptions, callTool, failure, httpServer, openPool } from "./support/pool.ts";

const event = (response: ServerResponse, message: object): void => {
  response.write(`data: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`);
};

/** Answers a call with an event stream that asks, tells and then, when it was answered, ends with the result. */
function askingServer() {
  const asking = new Map<unknown, (answer: Received["body"]) => void>();
  const sessions = legacySessions(({ body: { id, params } }, response) => {
    const name = String(params?.["name"]);
    response.writeHead(200, { "content-type": "text/event-stream" });
    event(response, {
      method: "notifications/message",
      params: { level: "info", data: `to ${name}` },
    });
    event(response, { id: `for ${name}`, method: "elicitation/create", params: { message: name } });
    asking.set(`for ${name}`, ({ result }) => {
      event(response, { id, result: { content: [], answer: result ?? "refused" } });
      response.end();
    });
  });
  return openHttpUpstream((message, response) => {
    const { id, method } = message.body;
    if (id !== undefined && method === undefined) asking.get(id)?.(message.body);
    sessions.handle(message, response);
  });
}

describe("a shared connection to a legacy server over HTTP", () => {
  test("hands what comes on a call's own stream to the client of that call", async () => {
    const web = await askingServer();
    const pool = openPool([{ ...httpServer("web", web.url), connection: "shared" }]);
    await pool.reaches("web", "ready");
    const [anna, ben] = [fakeSession("anna"), fakeModernClient("ben")];
    const answers = await Promise.all(
      [anna.port, ben].map((client) =>
        callTool(
          pool.get("web"),
          { name: client.session?.id ?? client.owner },
          callOptions({ client }),
        ),
      ),
    );
    expect(answers.map(({ answer }) => answer)).toEqual([{ by: "anna" }, { by: "ben" }]);
    expect(anna.port.asked).toEqual([
      { method: "elicitation/create", params: { message: "anna" } },
    ]);
    expect(ben.asked).toEqual([{ method: "elicitation/create", params: { message: "ben" } }]);
    expect(anna.asked).toEqual([]);
    expect(anna.port.told.map(({ params }) => params["data"])).toEqual(["to anna"]);
    // A modern client that named no level wants no log messages.
    expect(ben.told).toEqual([]);
    expect(pool.get("web").connections).toBe(1);
    expect(web.of("initialize").map(({ body }) => body.params?.["capabilities"])).toEqual([{}]);
  });

  test("the limit of a call whose client is asked stands still, that of another does not", async () => {
    const web = await askingServer();
    const pool = openPool([{ ...httpServer("web", web.url), connection: "shared" }]);
    await pool.reaches("web", "ready");
    const answered = createDeferred<JsonObject>();
    const slow = fakeModernClient("slow", { elicitation: {} }, () => answered.promise);
    const limits = { timeoutMs: 200, maxTotalMs: 200 };
    const asking = callTool(
      pool.get("web"),
      { name: "slow" },
      callOptions({ client: slow, ...limits }),
    );
    await vi.waitFor(() => expect(slow.asked).toHaveLength(1));
    const mute = await openHttpUpstream(legacySessions(() => undefined).handle);
    pool.apply(
      new Map([
        ["web", { ...httpServer("web", web.url), connection: "shared" }],
        ["mute", httpServer("mute", mute.url)],
      ]),
    );
    await pool.reaches("mute", "ready");
    // Begun later and over: the same time has passed for both.
    await expect(
      failure(callTool(pool.get("mute"), { name: "run" }, callOptions(limits))),
    ).resolves.toMatchObject({ code: "timeout" });
    answered.resolve({ action: "accept" });
    await expect(asking).resolves.toMatchObject({ answer: { action: "accept" } });
  });

  test("is told the most talkative level that any session wants", async () => {
    const web = await openHttpUpstream(
      ({ method: verb, body: { id, method, params } }, response) => {
        const serverInfo = { name: "logs", version: "1" };
        const protocolVersion = params?.["protocolVersion"];
        const result =
          method === "initialize"
            ? { protocolVersion, capabilities: { logging: {} }, serverInfo }
            : {};
        if (verb === "GET") response.writeHead(405).end();
        else if (method === "server/discover") answerJson(response, {}, 400);
        else if (id === undefined) response.writeHead(202).end();
        else answerJson(response, { jsonrpc: "2.0", id, result });
      },
    );
    const pool = openPool([httpServer("web", web.url)]);
    await pool.reaches("web", "ready");
    const [anna, ben] = [fakeSession("anna", {}), fakeSession("ben", {})];
    await pool.get("web").setLogLevel("error", anna);
    await pool.get("web").setLogLevel("info", ben);
    await pool.get("web").setLogLevel("warning", anna);
    ben.end();
    await vi.waitFor(() => {
      const levels = web.of("logging/setLevel").map(({ body }) => body.params?.["level"]);
      expect(levels).toEqual(["error", "info", "warning"]);
    });
  });
});
