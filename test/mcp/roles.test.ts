import { describe, expect, it } from "vitest";
import type { CallLimits } from "../../src/core/call-limits.ts";
import { isJsonObject, parseJson } from "../../src/core/json.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { RpcMessage, RpcRequest } from "../../src/core/json-rpc.ts";
import type { Tool } from "../../src/core/mcp.ts";
import type { Principal } from "../../src/core/principal.ts";
import { createLegacySession } from "../../src/mcp/legacy-session.ts";
import { gatewayIdentity } from "../../src/mcp/mcp-identity.ts";
import type { UnportedCaller } from "../../src/mcp/mcp-identity.ts";
import type { MessageStream } from "../../src/mcp/message-stream.ts";
import { serveModern } from "../../src/mcp/serve-modern.ts";
import {
  echoTool,
  eve,
  fakeUpstream,
  gatewayOf,
  open,
  serverConfiguration,
} from "../gateway/fakes.ts";
import { envelope } from "./endpoint.ts";

// A gateway with roles and limits, spoken to in both eras by a person whose role changes between two requests.

const member = (role: Principal["role"]): Principal => ({ ...eve, organizationId: "acme", role });
const looks: Tool = { ...echoTool, name: "look", annotations: { readOnlyHint: true } };

interface Wire {
  stream: MessageStream;
  said: RpcMessage[];
}

function wire(): Wire {
  const said: RpcMessage[] = [];
  return { said, stream: { send: (message) => void said.push(message), keepsUp: () => true } };
}

const callerAs = (role: Principal["role"]): UnportedCaller => ({
  principal: member(role),
  clientName: "test",
  sessionId: null,
  projectId: null,
});

/** The answer as it is on the wire. */
function endOf({ said }: Wire): JsonObject {
  const last = parseJson(JSON.stringify(said.at(-1) ?? null));
  if (!isJsonObject(last)) throw new Error("Nothing was said");
  return last;
}

function start(limits?: CallLimits) {
  const one = fakeUpstream("one", {
    tools: [echoTool, looks],
    resources: [{ uri: "x:1", name: "x" }],
  });
  const ofAcme = { access: { ...open, organizations: ["acme"] } };
  const fixture = gatewayOf([one], {
    servers: [serverConfiguration("one", ofAcme)],
    ...(limits === undefined ? {} : { limits }),
  });
  const { gateway } = fixture;
  const identity = gatewayIdentity(gateway, "1.2.3");

  let ids = 0;
  const requestOf = (method: string, params: JsonObject): RpcRequest => ({
    jsonrpc: "2.0",
    id: ++ids,
    method,
    params,
  });

  const modern = async (role: Principal["role"], method: string, params: JsonObject = {}) => {
    const to = wire();
    const request = requestOf(method, { ...params, _meta: envelope() });
    const { signal } = new AbortController();
    const caller = callerAs(role);
    await serveModern(request, { gateway, identity, caller, stream: to.stream, signal });
    return endOf(to);
  };

  const openSession = (role: Principal["role"]) => {
    const common = wire();
    const session = createLegacySession({
      gateway,
      identity,
      caller: callerAs(role),
      initializeParams: { protocolVersion: "2025-11-25", capabilities: {} },
      newId: () => "s",
    });
    session.setCommonStream(common.stream);
    const ask = async (as: Principal["role"], method: string, params: JsonObject = {}) => {
      const to = wire();
      await session.receive(requestOf(method, params), to.stream, { caller: callerAs(as) });
      return endOf(to);
    };
    /** As whom the session is taken for: the message says nothing of its sender. */
    const askAsItIs = async (method: string, params: JsonObject = {}) => {
      const to = wire();
      await session.receive(requestOf(method, params), to.stream);
      return endOf(to);
    };
    return { ask, askAsItIs, heard: common.said, session };
  };
  return { ...fixture, one, modern, openSession };
}

const call = (tool: string): JsonObject => ({ name: tool, arguments: { message: "x" } });
const namesIn = ({ result }: JsonObject): unknown =>
  isJsonObject(result) && Array.isArray(result["tools"])
    ? result["tools"].map((tool) => (isJsonObject(tool) ? tool["name"] : tool))
    : result;

const refused = {
  error: {
    code: -32_006,
    message:
      'Tool "one__echo" changes things, so it needs the role editor; yours in acme is viewer ' +
      "(the owner of the gateway can grant it) (A static token's role stands in the configuration of the gateway)",
    data: { code: "forbidden" },
  },
};

describe("a role that changes between two requests", () => {
  it("counts from when the session is told, where a message says nothing of its sender", async () => {
    const { openSession, one } = start();
    const { askAsItIs, session } = openSession("editor");
    const told: unknown[] = [];
    one.answer = ({ client }) => {
      told.push(client.caller?.principal);
      return { content: [] };
    };
    await askAsItIs("initialize");
    expect(await askAsItIs("tools/call", call("one__echo"))).toHaveProperty("result");
    session.renew(member("viewer"));
    expect(session.clientSession.caller?.principal).toEqual(member("viewer"));
    expect(await askAsItIs("tools/call", call("one__echo"))).toMatchObject(refused);
    expect(await askAsItIs("tools/call", call("one__look"))).toHaveProperty("result");
    expect(told).toEqual([member("editor"), member("viewer")]);
  });

  it("counts from the next one on, in a session of the legacy era", async () => {
    const { openSession, one } = start();
    const { ask } = openSession("editor");
    await ask("editor", "initialize");
    expect(await ask("editor", "tools/call", call("one__echo"))).toHaveProperty("result");
    expect(await ask("viewer", "tools/call", call("one__echo"))).toMatchObject(refused);
    expect(namesIn(await ask("viewer", "tools/list"))).toEqual(["one__look"]);
    expect(await ask("viewer", "tools/call", call("one__look"))).toHaveProperty("result");
    for (const method of ["tools/list", "tools/call", "resources/subscribe", "logging/setLevel"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { error } = await ask(null, method, {
        ...call("one__look"),
        uri: "x:1",
        level: "info",
      });
      expect(error).toMatchObject({ code: -32_006, data: { code: "forbidden" } });
    }
    expect(namesIn(await ask("editor", "tools/list"))).toEqual(["one__echo", "one__look"]);
    expect(one.requests).toHaveLength(2);
    expect(one.told).toEqual([]);
  });

  it("counts from the next one on, in the modern era", async () => {
    const { modern, one } = start();
    expect(await modern("editor", "tools/call", call("one__echo"))).toHaveProperty("result");
    expect(await modern("viewer", "tools/call", call("one__echo"))).toMatchObject(refused);
    expect(namesIn(await modern("viewer", "tools/list"))).toEqual(["one__look"]);
    for (const method of ["tools/list", "tools/call", "server/discover"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { error } = await modern(null, method, call("one__look"));
      expect(error).toMatchObject({ code: -32_006, data: { code: "forbidden" } });
    }
    expect(one.requests).toHaveLength(1);
  });

  it("counts for what a session had subscribed to, as soon as it is heard of", async () => {
    const { openSession, pool } = start();
    const { ask, heard, session } = openSession("editor");
    await ask("editor", "resources/subscribe", { uri: "x:1" });
    pool.resourceUpdated("one", { uri: "x:1" });
    expect(heard).toHaveLength(1);
    await ask(null, "ping");
    pool.resourceUpdated("one", { uri: "x:1" });
    expect(heard).toHaveLength(1);
    await ask("viewer", "ping");
    pool.resourceUpdated("one", { uri: "x:1" });
    expect(heard).toHaveLength(2);
    session.end();
  });

  it("opens no session to who has none", async () => {
    const { openSession } = start();
    expect(await openSession(null).ask(null, "initialize")).toMatchObject({
      error: { code: -32_006, data: { code: "forbidden" } },
    });
  });
});

describe("a limit that is reached", () => {
  const spent: CallLimits = { take: () => 12_300, takeTool: () => undefined };
  const limited = {
    error: {
      code: -32_007,
      message: "Too many tool calls within a minute (Try again in 13 s)",
      data: {
        code: "rate_limited",
        message: "Too many tool calls within a minute",
        hint: "Try again in 13 s",
        retryAfterSeconds: 13,
      },
    },
  };

  it("is an error that says when to come again, in both eras", async () => {
    const { openSession, modern, audit } = start(spent);
    const { ask } = openSession("editor");
    expect(await ask("editor", "tools/call", call("one__echo"))).toMatchObject(limited);
    expect(await modern("editor", "tools/call", call("one__echo"))).toMatchObject(limited);
    expect(audit.events.map(({ status, sessionId }) => [status, sessionId])).toEqual([
      ["denied", "s"],
      ["denied", null],
    ]);
    expect(namesIn(await modern("editor", "tools/list"))).toHaveLength(2);
  });
});
