import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, Server } from "@modelcontextprotocol/server";
import { describe, expect, onTestFinished, test } from "vitest";
import { createDeferred } from "../../src/upstream/deferred.ts";
import { fakeModernClient, fakeSession } from "./support/client.ts";
import { portOf } from "./support/http-upstream.ts";
import {
  callOptions,
  callTool,
  failure,
  httpServer,
  openPool,
  stdioServer,
} from "./support/pool.ts";

const meta = (name: string) => `io.modelcontextprotocol/${name}`;
const modern = (name: string) => stdioServer(name, "modern-server.mjs");

describe("a modern server", () => {
  test("hears in each request what its client declared and how much it wants to hear; over one connection", async () => {
    const pool = openPool([modern("one")]);
    await pool.reaches("one", "ready");
    const one = pool.get("one");
    const anna = { ...fakeModernClient("anna", { sampling: {} }), logLevel: "info" as const };
    const ben = fakeSession("ben", { elicitation: { form: {} } });
    const [first, second] = await Promise.all(
      [anna, ben.port].map((client) => callTool(one, { name: "who" }, callOptions({ client }))),
    );
    expect(first?.["meta"]).toMatchObject({
      [meta("clientCapabilities")]: { sampling: {} },
      [meta("logLevel")]: "info",
    });
    expect(second?.["meta"]).toMatchObject({
      [meta("clientCapabilities")]: { elicitation: { form: {} } },
    });
    expect(second?.["meta"]).not.toHaveProperty([meta("logLevel")]);
    expect(one.connections).toBe(1);
  });

  test("with a shared connection by configuration hears of no capability", async () => {
    const pool = openPool([{ ...modern("one"), connectionWritten: true }]);
    await pool.reaches("one", "ready");
    const client = fakeModernClient("anna");
    const { meta: heard } = await callTool(
      pool.get("one"),
      { name: "who" },
      callOptions({ client }),
    );
    expect(heard).toMatchObject({ [meta("clientCapabilities")]: {} });
    await expect(pool.get("one").listingFor(client)).resolves.toBe(pool.get("one").listing);
  });

  test("lists to each set of capabilities what it lists to it, and again when that changed", async () => {
    const pool = openPool([modern("one")]);
    await pool.reaches("one", "ready");
    const one = pool.get("one");
    const [anna, ben] = [fakeModernClient("anna"), fakeModernClient("ben")];
    const own = await one.listingFor(anna);
    expect(own.tools.at(-1)?.name).toBe("asker");
    expect(one.listing.tools.at(-1)?.name).toBe("ask");
    await expect(one.listingFor(ben)).resolves.toBe(own);
    await callTool(one, { name: "add-tool" }, callOptions());
    await pool.until(() => one.listing.tools.length === 3);
    const after = await one.listingFor(ben);
    expect(after.tools.map(({ name }) => name)).toEqual(["strange", "ask", "added-2", "asker"]);
    expect(after.prompts).toBe(one.listing.prompts);
  });

  test.each(["stdio", "http"])(
    "tells of the resources that somebody wants to hear of (%s)",
    async (kind) => {
      let touch: (uri: string) => Promise<unknown>;
      let pool: ReturnType<typeof openPool>;
      if (kind === "stdio") {
        pool = openPool([modern("one")]);
        touch = (uri) =>
          callTool(pool.get("one"), { name: "touch", arguments: { uri } }, callOptions());
      } else {
        const handler = createMcpHandler(() => {
          const capabilities = { resources: { subscribe: true } };
          const server = new Server({ name: "modern", version: "1" }, { capabilities });
          server.fallbackRequestHandler = async () => ({ resources: [], resourceTemplates: [] });
          return server;
        });
        const listener = toNodeHandler(handler);
        const web = createServer((request, response) => void listener(request, response));
        await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
        onTestFinished(() => {
          web.closeAllConnections();
          web.close();
        });
        pool = openPool([httpServer("one", `http://127.0.0.1:${portOf(web)}/mcp`)]);
        touch = async (uri) => handler.notify.resourceUpdated(uri);
      }
      await pool.reaches("one", "ready");
      const one = pool.get("one");
      const seen: unknown[] = [];
      let heard = createDeferred<undefined>();
      pool.onResourceUpdated((server, { uri }, session) => {
        seen.push([server, uri, session]);
        heard.resolve(undefined);
      });
      const client = fakeModernClient("anna");
      await Promise.all(["x://a", "x://b"].map((uri) => one.subscribe(uri, client)));
      await one.subscribe("x://b", fakeModernClient("ben"));
      await touch("x://a");
      await heard.promise;
      heard = createDeferred();
      await one.unsubscribe("x://a", client);
      await one.unsubscribe("x://b", client);
      await touch("x://a");
      await touch("x://b");
      await heard.promise;
      expect(seen).toEqual([
        ["one", "x://a", undefined],
        ["one", "x://b", undefined],
      ]);
    },
  );

  test("that offers no subscriptions refuses them", async () => {
    const pool = openPool([stdioServer("one", "modern-server.mjs", ["no-subscriptions"])]);
    await pool.reaches("one", "ready");
    await expect(
      failure(pool.get("one").subscribe("x://a", fakeModernClient("anna"))),
    ).resolves.toMatchObject({ name: "RpcFault", code: -32_601 });
  });
});
