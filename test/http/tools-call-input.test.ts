import { afterEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { isJsonObject } from "../../src/core/json.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { fakeUpstream, gatewayOf, serverConfiguration } from "../gateway/fakes.ts";
import { ask, good, startTestServer } from "./support.ts";

let server: HttpServer;
afterEach(() => server.close(0));

/** A server of the legacy era that asks what a client that declares everything could be asked. */
async function start() {
  const one = fakeUpstream("one", { tools: [{ name: "ask", inputSchema: { type: "object" } }] });
  one.answer = async ({ client, signal }) => {
    const refused: unknown[] = [];
    for (const method of ["sampling/createMessage", "roots/list"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await client.request(method, {}, signal).catch(({ code }) => refused.push(code));
    }
    const heard = await client.request("elicitation/create", { message: "Who?" }, signal);
    return { content: [], heard, refused: refused.map(Number) };
  };
  // A tool that only reads: Bob, who comes in between, may call it as well.
  const access = { read: ["ask"], write: [], organizations: [], trustHints: false };
  const servers = [serverConfiguration("one", { access })];
  const { gateway, audit } = gatewayOf([one], { servers });
  server = await startTestServer({ gateway });
  const post = async (more: JsonObject, headers: Record<string, string> = good) => {
    const body = { server: "one", tool: "ask", ...more };
    const { status, json } = await ask(server.port, "/api/v1/tools/call", { body, headers });
    if (!isJsonObject(json)) throw new Error("The answer is an object");
    return { status, json };
  };
  return { one, audit, post };
}

const everything = { elicitation: {}, sampling: {}, roots: {}, tasks: {} };

describe("POST /api/v1/tools/call of a tool that asks", () => {
  it("lets a person answer in a second call, whatever else the client says it can", async () => {
    const { one, audit, post } = await start();
    const { status, json } = await post({ clientCapabilities: everything });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      resultType: "input_required",
      inputRequests: { "input-1": { method: "elicitation/create", params: { message: "Who?" } } },
    });
    expect(one.requests[0]?.client.capabilities).toEqual({ elicitation: {} });
    const answer = { action: "accept", content: { name: "Ada" } };
    const retry = {
      inputResponses: { "input-1": answer },
      requestState: json["requestState"] ?? "",
    };
    expect(await post({ ...retry, clientCapabilities: everything })).toEqual({
      status: 200,
      json: { content: [], heard: answer, refused: [-32_601, -32_601] },
    });
    expect(one.requests).toHaveLength(1);
    expect(audit.events.map(({ status: how }) => how)).toEqual(["success", "success"]);
  });

  it("is refused for a state that is used up, forged, or somebody else's", async () => {
    const { post } = await start();
    const { json } = await post({ clientCapabilities: everything });
    const { requestState } = json;
    if (typeof requestState !== "string") throw new Error("It asks");
    const retry = { inputResponses: { "input-1": {} }, requestState };
    const bob = { authorization: "Bearer bob-token" };
    const foreign = await post(retry, bob);
    const forged = await post({ requestState: `${requestState}x` });
    expect(foreign).toEqual(forged);
    expect(forged).toMatchObject({ status: 400, json: { error: { code: "usage" } } });
    expect((await post(retry)).status).toBe(200);
    expect(await post(retry)).toMatchObject({
      status: 400,
      json: { error: { code: "usage", message: expect.stringContaining("was used before") } },
    });
  });

  it("is told by the server that nobody can be asked, where the client declares nothing", async () => {
    const { post } = await start();
    const declared: JsonObject[] = [{}, { sampling: {} }, { elicitation: true }];
    for (const clientCapabilities of declared) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, json } = await post({ clientCapabilities });
      expect([status, json]).toMatchObject([502, { error: { code: "tool_error" } }]);
    }
    expect((await post({ clientCapabilities: 5 })).status).toBe(400);
  });
});

it("a body that costs more to take in than it is worth is refused before that", async () => {
  const { one, post } = await start();
  const list: number[] = Array.from({ length: 200_010 }, () => 1);
  expect(await post({ arguments: { list } })).toMatchObject({
    status: 400,
    json: { error: { code: "usage", message: "The message has too many values" } },
  });
  expect(one.requests).toEqual([]);
});
