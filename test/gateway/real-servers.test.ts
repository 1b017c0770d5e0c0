import { describe, expect, it, onTestFinished } from "vitest";
import { isJsonObject } from "../../src/core/json.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { CallerContext } from "../../src/gateway/gateway.ts";
import { openPool, realServer } from "../upstream/support/pool.ts";
import { ada, caller, callerWith, eve, gatewayOver, legacyClient, modernClient } from "./fakes.ts";

const everything = { sampling: {}, elicitation: {}, roots: {} };
const { signal } = new AbortController();

/** A gateway before two real servers, which give single clients connections of their own. */
async function start() {
  const configured = ["one", "two"].map((name) =>
    Object.assign(realServer("everything"), {
      name,
      prefix: name,
      connection: "session" as const,
    }),
  );
  const pool = openPool(configured);
  const { gateway } = gatewayOver(pool, configured);
  onTestFinished(() => {
    gateway.close();
  });
  await Promise.all(configured.map(({ name }) => pool.reaches(name, "ready")));
  const call = (as: CallerContext, server: string, tool: string, params: JsonObject = {}) =>
    gateway.callTool(as, { address: { exposedName: `${server}__${tool}` }, params, signal });
  return { gateway, pool, call };
}

const sampled = (by: string): JsonObject => ({
  role: "assistant",
  content: { type: "text", text: `said by ${by}` },
  model: `model of ${by}`,
});
const sampling = { arguments: { prompt: "Hello", maxTokens: 5 } };

describe("real servers", () => {
  it("list everything of two servers, each name and URI once", async () => {
    const { gateway } = await start();
    const tools = await gateway.list(caller, "tools");
    expect(tools).toHaveLength(26);
    expect(await gateway.list(callerWith(modernClient(everything)), "tools")).toHaveLength(32);
    const resources = await gateway.list(caller, "resources");
    expect(new Set(resources.map(({ uri }) => uri)).size).toBe(14);
    expect(gateway.collisions(caller)).toHaveLength(9);
    const [uri = ""] = resources.flatMap((entry) =>
      entry.uri.startsWith("onedoor:two:") ? entry.uri : [],
    );
    const read = await gateway.readResource(caller, { params: { uri }, signal });
    expect(read["contents"]).toMatchObject([{ uri: uri.slice("onedoor:two:".length) }]);
    const dynamic = { uri: "demo://resource/dynamic/text/1" };
    expect(await gateway.readResource(caller, { params: dynamic, signal })).toMatchObject({
      contents: [dynamic],
    });
    const prompt = { name: "two__args-prompt", arguments: { city: "Bern" } };
    expect(await gateway.getPrompt(caller, { params: prompt, signal })).toMatchObject({
      messages: [{ role: "user" }],
    });
  });

  it("ask the legacy client whose call it is", async () => {
    const { call } = await start();
    const clients = ["a", "b"].map((id) => {
      const client = legacyClient(id, everything);
      client.answer = (method) =>
        method === "roots/list" ? { roots: [] } : sampled(`client ${id}`);
      return client;
    });
    const results = await Promise.all(
      clients.flatMap((client) =>
        ["one", "two"].map((server) =>
          call(callerWith(client), server, "trigger-sampling-request", sampling),
        ),
      ),
    );
    const heard = results.map((result) => /client \w/u.exec(JSON.stringify(result))?.[0]);
    expect(heard).toEqual(["client a", "client a", "client b", "client b"]);
  });

  it("ask the modern client by a result, and go on when it comes back", async () => {
    const { call, pool } = await start();
    const visits = [
      { as: callerWith(modernClient(everything, "ada"), ada), by: "Ada" },
      { as: callerWith(modernClient(everything, "eve"), eve), by: "Eve" },
    ];
    const results = await Promise.all(
      visits.flatMap(({ as, by }) =>
        ["one", "two"].map(async (server) => {
          const tool = "trigger-sampling-request";
          const asked = await call(as, server, tool, sampling);
          const { inputRequests, requestState } = asked;
          if (!isJsonObject(inputRequests) || typeof requestState !== "string") return asked;
          const inputResponses = Object.fromEntries(
            Object.keys(inputRequests).map((key) => [key, sampled(by)]),
          );
          return call(as, server, tool, { ...sampling, inputResponses, requestState });
        }),
      ),
    );
    const heard = results.map((result) => /said by (\w+)/u.exec(JSON.stringify(result))?.[1]);
    expect(heard).toEqual(["Ada", "Ada", "Eve", "Eve"]);
    expect(pool.get("one").connections).toBeLessThanOrEqual(4);
  });
});
