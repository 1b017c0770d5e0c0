import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import type { Upstream } from "../../src/upstream/upstream.ts";
import { fakeModernClient, fakeSession } from "./support/client.ts";
import { callOptions, callTool, failure, openPool, stdioServer } from "./support/pool.ts";

const raw = stdioServer("one", "raw-server.mjs", ["all"]);
const call = (upstream: Upstream, name: string, args: JsonObject = {}) =>
  callTool(upstream, { name, arguments: args }, callOptions());

describe("subscriptions on the connection that clients share", () => {
  test("are told to the server once, kept while anybody wants them, and over a restart", async () => {
    const pool = openPool([raw]);
    await pool.reaches("one", "ready");
    const one = pool.get("one");
    const [anna, ben] = [fakeSession("anna"), fakeModernClient("ben")];
    const seen: unknown[] = [];
    pool.onResourceUpdated((...update) => seen.push(update));
    await one.subscribe("raw://one", anna.port);
    await one.subscribe("raw://one", ben);
    await one.unsubscribe("raw://one", anna.port);
    await expect(call(one, "state")).resolves.toMatchObject({ subscribed: ["raw://one"] });
    await call(one, "touch", { uri: "raw://one" });
    expect(seen).toEqual([["one", { uri: "raw://one" }, undefined]]);
    const waiting = pool.reaches("one", "waiting");
    await failure(call(one, "die"));
    await waiting;
    await pool.reaches("one", "ready");
    await expect(call(one, "state")).resolves.toMatchObject({ subscribed: ["raw://one"] });
    await one.unsubscribe("raw://one", ben);
    await expect(call(one, "state")).resolves.toMatchObject({ subscribed: [] });
  });

  test("that the server refuses are an error to all who asked, and not kept", async () => {
    const pool = openPool([raw]);
    await pool.reaches("one", "ready");
    const one = pool.get("one");
    const tries = [1, 2].map(() =>
      failure(one.subscribe("raw://refused", fakeModernClient("anna"))),
    );
    for (const error of await Promise.all(tries)) {
      expect(error).toMatchObject({ name: "RpcFault", code: -32_002 });
    }
    await one.unsubscribe("raw://refused", fakeModernClient("anna"));
    await expect(call(one, "state")).resolves.toMatchObject({ subscribed: ["raw://refused"] });
  });
});
