import { afterEach, describe, expect, it } from "vitest";
import { createPinApprovals } from "../../src/gateway/pin-approvals.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { ada, gatewayOf } from "../gateway/fakes.ts";
import { otherRead, pinnedWorld, readTool, writeTool } from "../gateway/pinned-world.ts";
import { ask, good, startTestServer } from "./support.ts";

let server: HttpServer;
afterEach(() => server.close(0));

const viewer = { authorization: "Bearer bob-token" };
const editor = { authorization: "Bearer eve-token" };

async function start(pin: "off" | "warn" | "block" = "block", isStillThere = true) {
  const world = await pinnedWorld({ pin });
  world.list(readTool);
  const approvals = createPinApprovals({
    pins: world.pins,
    servers: () => new Map([["fs", world.server()]]),
    renew: (principal) => (isStillThere ? principal : undefined),
  });
  const { gateway } = gatewayOf([world.upstream], { servers: [world.server()] });
  server = await startTestServer({ gateway, approvals });
  const get = async (path: string, headers: Record<string, string> = good) =>
    ask(server.port, path, { headers });
  const approve = async (body: object, headers: Record<string, string> = good) =>
    ask(server.port, "/servers/fs/approve", { headers, body });
  return { world, get, approve };
}

describe("what waits for an approval", () => {
  it("is told to who manages the server, and approved by its hash", async () => {
    const { world, get, approve } = await start();
    expect((await get("/servers/fs/changes")).json).toEqual({
      server: "fs",
      hash: null,
      changes: [],
    });
    world.list(otherRead);
    const { json } = await get("/servers/fs/changes");
    expect(json).toMatchObject({
      changes: [{ tool: "look", kind: "changed", withheld: true, becameWrite: false }],
    });
    expect((await get("/api/v1/admin/changes")).json).toEqual({ servers: [json] });
    const hash = world.pins.changesOf(world.server())[0]?.hash;
    expect(json).toMatchObject({ changes: [{ hash }] });
    expect(await approve({ tool: "look", hash: "0".repeat(64) })).toMatchObject({ status: 400 });
    expect(await approve({ tool: "other", hash })).toMatchObject({ status: 400 });
    expect(await approve({ hash })).toMatchObject({ status: 400 });
    expect(await approve({ tool: null, hash })).toMatchObject({ status: 400 });
    expect(world.withheld()).toEqual(["look"]);
    expect(await approve({ tool: "look", hash })).toMatchObject({
      status: 200,
      json: { server: "fs", approved: [{ tool: "look", hash }] },
    });
    expect(world.withheld()).toEqual([]);
    expect(await approve({ tool: "look", hash })).toMatchObject({ status: 400 });
  });

  it("stands on the server's page: all of it for who manages it, for others how much", async () => {
    const { world, get } = await start();
    world.list(writeTool);
    const page = "/api/v1/inspect?server=fs";
    expect((await get(page)).json).toMatchObject({
      withheld: 1,
      changes: [{ tool: "look", becameWrite: true }],
    });
    for (const headers of [viewer, editor]) {
      const { json } = await get(page, headers);
      expect(json).toMatchObject({ withheld: 1 });
      expect(json).not.toHaveProperty("changes");
    }
    expect((await get("/servers/fs")).json).toMatchObject({ withheld: 1, changes: [{}] });
  });

  it.each([
    ["a viewer", viewer, 403],
    ["an editor", editor, 403],
    ["a stranger", {}, 401],
  ])("is not for %s", async (_who, headers, status) => {
    const { world, get, approve } = await start();
    world.list(otherRead);
    expect(await get("/servers/fs/changes", headers)).toMatchObject({ status });
    expect(await get("/api/v1/admin/changes", headers)).toMatchObject({ status });
    const [change] = world.pins.changesOf(world.server());
    const body = { tool: "look", hash: change?.hash };
    expect(await approve(body, headers)).toMatchObject({ status });
    expect(world.withheld()).toEqual(["look"]);
  });

  it("is approved by nobody whose sign-in ended meanwhile", async () => {
    const { world, approve } = await start("block", false);
    world.list(otherRead);
    const [change] = world.pins.changesOf(world.server());
    expect(await approve({ tool: "look", hash: change?.hash })).toMatchObject({ status: 401 });
    expect(world.withheld()).toEqual(["look"]);
  });

  it.each([
    {},
    { hash: "x" },
    { hash: 5 },
    { tool: 5, hash: "0".repeat(64) },
    { hash: "", more: 1 },
  ])("takes nothing else: %j", async (body) => {
    const { approve } = await start();
    expect(await approve(body)).toMatchObject({ status: 400, json: { error: { code: "usage" } } });
  });

  it("is asked of a server that is there", async () => {
    const { get } = await start();
    expect(await get("/servers/sf/changes")).toMatchObject({
      status: 404,
      json: { error: { code: "not_found", hint: "Did you mean fs?" } },
    });
  });

  it("is asked of a tool that is there, or was", async () => {
    const { world, get } = await start();
    expect(await get("/servers/fs/changes?tool=lok")).toMatchObject({
      status: 404,
      json: { error: { code: "not_found", hint: "Did you mean fs/look?" } },
    });
    expect(await get("/servers/fs/changes?tool=look")).toMatchObject({ status: 200 });
    world.list({ ...otherRead, name: "new" });
    expect(await get("/servers/fs/changes?tool=new")).toMatchObject({ status: 200 });
    expect(await get("/servers/fs/changes?tool=look")).toMatchObject({ status: 200 });
  });

  it("is not told to an organisation of a server that others share", async () => {
    const { world } = await start();
    const { access } = world.server();
    world.configure({ access: { ...access, organizations: ["acme", "other"] } });
    world.list(otherRead);
    const approvals = createPinApprovals({
      pins: world.pins,
      servers: () => new Map([["fs", world.server()]]),
      renew: (principal) => principal,
    });
    const anna = { ...ada, organizationId: "acme" };
    expect(approvals.all(anna)).toEqual([]);
    expect(() => approvals.changes(anna, "fs")).toThrow(/not your organisation's alone/u);
    expect(approvals.waiting(anna, "fs")).toEqual({ withheld: 1 });
    expect(approvals.waiting({ ...anna, organizationId: "third" }, "fs")).toEqual({ withheld: 0 });
    world.configure({ access: { ...access, organizations: ["acme"] } });
    expect(approvals.changes(anna, "fs").changes).toHaveLength(1);
  });
});
