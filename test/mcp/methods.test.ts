import { describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { isJsonObject } from "../../src/core/json.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { metaOf } from "../../src/core/mcp.ts";
import type { ListKind } from "../../src/core/mcp.ts";
import { pageOf } from "../../src/mcp/list-pages.ts";
import { deferred, exchange, modern, rpc, startEndpoint } from "./endpoint.ts";
import type { Post, WireAnswer } from "./endpoint.ts";

// The methods that both eras have, in both.

const eras = ["legacy", "modern"] as const;
const posted = (era: (typeof eras)[number], method: string, params: JsonObject = {}): Post =>
  era === "legacy"
    ? { body: rpc(method, params) }
    : modern(method, params, { meta: metaOf(params) });
const resultOf = ({ last }: WireAnswer): unknown => last["result"];

const lists: [method: string, kind: ListKind][] = [
  ["tools/list", "tools"],
  ["prompts/list", "prompts"],
  ["resources/list", "resources"],
  ["resources/templates/list", "resourceTemplates"],
];

describe.each(eras)("%s", (era) => {
  it.each(lists)(
    "%s has every field of every entry, in pages of a thousand",
    async (method, kind) => {
      const { port, gateway } = await startEndpoint();
      const strange = { icons: [{ src: "x" }], "x-own": { deep: [null] }, inputSchema: {} };
      const all = Array.from({ length: 2_001 }, (_none, index) => ({
        name: `n${index}`,
        uri: `x://${index}`,
        uriTemplate: `x://${index}/{a}`,
        ...strange,
      }));
      gateway.listing = { ...gateway.listing, [kind]: all };
      const seen: unknown[] = [];
      let cursor: string | undefined;
      do {
        const page = await exchange(
          port,
          posted(era, method, cursor === undefined ? {} : { cursor }),
        );
        const { result } = page.last;
        const { [kind]: entries, nextCursor } = isJsonObject(result) ? result : {};
        expect(entries).toHaveProperty("length", Math.min(1_000, all.length - seen.length));
        seen.push(...(Array.isArray(entries) ? entries : []));
        cursor = typeof nextCursor === "string" ? nextCursor : undefined;
      } while (cursor !== undefined);
      expect(seen).toEqual(all);
      for (const bad of [
        "",
        "x",
        btoa("tools:999"),
        btoa("other:1000"),
        btoa(`${kind}:3000`),
        5,
        null,
      ]) {
        const { last } = await exchange(port, posted(era, method, { cursor: bad }));
        expect(last).toMatchObject({ error: { code: -32602 } });
      }
    },
  );

  it("waits with its lists until the servers had their chance to start", async () => {
    const { port, gateway } = await startEndpoint();
    const started = deferred();
    Object.assign(gateway, { started: started.promise });
    const listed = exchange(port, posted(era, "tools/list"));
    expect((await exchange(port, posted(era, "vendor/odd"))).status).toBeGreaterThan(0);
    started.resolve();
    expect(resultOf(await listed)).toMatchObject({ tools: [{ name: "one__echo" }] });
  });

  it("hands requests on whole, and results back whole", async () => {
    const { port, gateway } = await startEndpoint();
    const asked: JsonObject[] = [];
    const result = {
      content: [{ type: "hologram", frames: [1], "x-y": null }],
      structuredContent: { three: null },
      _meta: { "vendor/key": { a: 1 } },
      isError: true,
      resultType: "complete",
      ttlMs: 1,
      cacheScope: "public",
      unknown: { deep: [[]] },
    };
    const work = ({ params }: { params: JsonObject }): JsonObject => {
      asked.push(params);
      return result;
    };
    Object.assign(gateway, { call: work, prompt: work, read: work, completion: work });
    const more = { "x-unknown": null, _meta: { "vendor/key": [1], traceparent: "00-a" } };
    const requests: [string, JsonObject][] = [
      ["tools/call", { name: "one__echo", arguments: { a: { b: [] } }, ...more }],
      ["prompts/get", { name: "one__prompt", arguments: { a: "1" }, ...more }],
      ["resources/read", { uri: "x://a", ...more }],
      ["completion/complete", { ref: { type: "ref/prompt", name: "p" }, argument: {}, ...more }],
    ];
    for (const [method, params] of requests) {
      expect(resultOf(await exchange(port, posted(era, method, params)))).toEqual(result);
    }
    expect(asked).toEqual(requests.map(([, params]) => params));
  });

  it.each([
    ["tools/call", {}],
    ["tools/call", { name: 5 }],
    ["prompts/get", {}],
    ["resources/read", { uri: null }],
  ])("%s with %j is refused", async (method, params) => {
    const { port, gateway } = await startEndpoint();
    const { last } = await exchange(port, posted(era, method, params));
    expect(last).toMatchObject({ error: { code: -32602 } });
    expect(gateway.calls).toEqual([]);
  });

  it("lets the model see what is wrong with its arguments", async () => {
    const { port, gateway } = await startEndpoint();
    gateway.call = () => Promise.reject(new AppError("usage", "Wrong", { hint: "Mend it" }));
    const answer = await exchange(port, posted(era, "tools/call", { name: "one__echo" }));
    expect(resultOf(answer)).toMatchObject({
      isError: true,
      content: [{ type: "text", text: "Wrong (Mend it)" }],
    });
  });
});

it("tasks are not announced, so a legacy call that asks for one is a call", async () => {
  const { port, gateway } = await startEndpoint();
  await exchange(port, { body: rpc("tools/call", { name: "one__echo", task: { ttl: 1 } }) });
  expect(gateway.calls[0]?.call.params).toEqual({ name: "one__echo" });
});

it("one page needs no copy of what is on it", () => {
  const list = [{ name: "a" }];
  expect(pageOf("tools", list, undefined)).toEqual({ entries: list, nextCursor: undefined });
  expect(pageOf("tools", list, undefined).entries).toBe(list);
});
