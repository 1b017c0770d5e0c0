import { afterEach, describe, expect, it } from "vitest";
import type { HttpServer } from "../../src/http/http-server.ts";
import { failed, fakeUpstream, gatewayOf, readyModern } from "../gateway/fakes.ts";
import { ask, good, startTestServer } from "./support.ts";

let server: HttpServer;
afterEach(() => server.close(0));

async function start() {
  const [one, two] = [fakeUpstream("one"), fakeUpstream("two words")];
  one.state = readyModern;
  one.stderrTail = ["last words"];
  two.state = failed("exit code 1");
  two.listing = {
    ...two.listing,
    tools: [{ name: "odd", inputSchema: { type: "object" }, title: 5 }],
    prompts: [{ name: "p" }],
  };
  server = await startTestServer({ gateway: gatewayOf([one, two]).gateway });
  const get = (path: string, method = "GET", headers: object = good) =>
    ask(server.port, path, { method, headers: { ...headers } });
  return { one, two, get };
}

const bob = { authorization: "Bearer bob-token" };
const oddProblem: unknown = expect.stringMatching(/^Tool "odd" is not listed: its title/u);

describe("/servers", () => {
  it("shows an administrator where every server stands, and what collided", async () => {
    const { get } = await start();
    const { status, json } = await get("/servers");
    expect(status).toBe(200);
    expect(json).toEqual({
      servers: [
        {
          name: "one",
          state: "ready",
          toolCount: 1,
          counts: { tools: 1, prompts: 0, resources: 0, resourceTemplates: 0 },
          tags: [],
          type: "stdio",
          connection: "shared",
          connections: 1,
          era: "modern",
          idle: false,
          problems: [],
        },
        expect.objectContaining({
          name: "two words",
          state: "unavailable",
          reason: "exit code 1",
          counts: { tools: 1, prompts: 1, resources: 0, resourceTemplates: 0 },
          problems: [oddProblem],
        }),
      ],
      collisions: [],
    });
  });

  it("shows one server whole", async () => {
    const { get } = await start();
    const { status, json } = await get("/servers/one");
    expect(status).toBe(200);
    expect(json).toMatchObject({
      name: "one",
      type: "stdio",
      connections: 1,
      stderrTail: ["last words"],
      tools: [{ name: "echo" }],
      resources: [],
    });
    expect((await get("/servers/two%20words")).json).toMatchObject({ problems: [oddProblem] });
  });

  it("starts one again", async () => {
    const { get, one, two } = await start();
    const { status, json } = await get("/servers/two%20words/restart", "POST");
    expect(status).toBe(202);
    expect(json).toEqual({ restarting: "two words" });
    expect([one.told, two.told]).toEqual([[], ["restart"]]);
  });

  it.each([
    ["/servers/on", "GET"],
    ["/servers/on/restart", "POST"],
  ])("does not know %s, and says what may be meant", async (path, method) => {
    const { get } = await start();
    const { status, json } = await get(path, method);
    expect(status).toBe(404);
    expect(json).toMatchObject({ error: { code: "not_found", hint: "Did you mean one?" } });
  });

  it.each([
    ["/servers", "GET"],
    ["/servers/one", "GET"],
    ["/servers/nobody", "GET"],
    ["/servers/one/restart", "POST"],
  ])("is for administrators: %s %s", async (path, method) => {
    const { get, one } = await start();
    expect((await get(path, method, {})).status).toBe(401);
    const refused = await get(path, method, bob);
    expect(refused.status).toBe(403);
    expect(refused.json).toMatchObject({
      error: {
        code: "forbidden",
        message: expect.stringMatching(/^This needs the role admin;.*can grant it\)$/u),
      },
    });
    expect(one.told).toEqual([]);
  });
});
