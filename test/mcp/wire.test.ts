import { describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { RpcFault } from "../../src/core/json-rpc.ts";
import type { UpstreamRequest } from "../../src/upstream/upstream.ts";
import { echoTool, fakeUpstream, starting } from "../gateway/fakes.ts";
import { good } from "../http/support.ts";
import { accept, call, envelope, eras, lastOf, messagesOf, send, server, start } from "./wire.ts";

// What goes over the wire at /mcp, written by hand in both eras, before fake upstream servers.

describe.each(eras)("%s era", (era) => {
  it("lists every tool under its exposed name, every field kept", async () => {
    const strange = {
      ...echoTool,
      title: "T",
      "x-vendor": { deep: [1, null] },
      icons: [{ src: "x" }],
    };
    await start(fakeUpstream("one", { tools: [strange] }));
    const { result } = lastOf(await send(era, { id: 1, method: "tools/list" }));
    expect(result).toMatchObject({ tools: [{ ...strange, name: "one__echo" }] });
    expect(isJsonObject(result) && result["tools"]).toEqual([{ ...strange, name: "one__echo" }]);
    // The modern era must say how long a list is good and for whom.
    expect(isJsonObject(result) && [result["ttlMs"], result["cacheScope"]]).toEqual(
      era === "modern" ? [0, "private"] : [undefined, undefined],
    );
  });

  it("hands a result back with everything in it", async () => {
    const { one } = await start();
    const result: JsonObject = {
      content: [
        { type: "hologram", frames: [1, 2], "x-y": null },
        { type: "text", text: "t", annotations: { "x-z": {} }, extra: 1 },
      ],
      structuredContent: { three: null },
      _meta: { "vendor/key": { a: 1 }, "io.modelcontextprotocol/serverInfo": { name: "u" } },
      isError: true,
      resultType: "complete",
      unknown: { deep: [[]] },
    };
    one.answer = () => result;
    expect(lastOf(await send(era, call()))).toEqual({ jsonrpc: "2.0", id: 7, result });
  });

  it("hands the params on with everything but this hop's own _meta", async () => {
    const { one } = await start();
    const params = {
      arguments: { message: "hi" },
      _meta: { "vendor/key": [1], traceparent: "00-a", progressToken: 5 },
      "x-unknown": null,
    };
    await send(era, call(params));
    expect(one.requests[0]?.params).toEqual({
      ...params,
      name: "echo",
      _meta: { "vendor/key": [1], traceparent: "00-a" },
    });
  });

  it("sends progress under the client's token, all of it before the result", async () => {
    const { one } = await start();
    one.answer = ({ onProgress }) => {
      onProgress?.({ progress: 1, total: 2 });
      onProgress?.({ progress: 2, total: 2, message: "done" });
      return { content: [] };
    };
    const messages = messagesOf(await send(era, call({ _meta: { progressToken: "tok" } })));
    expect(messages).toMatchObject([
      { method: "notifications/progress", params: { progressToken: "tok", progress: 1, total: 2 } },
      { method: "notifications/progress", params: { progressToken: "tok", message: "done" } },
      { id: 7, result: { content: [] } },
    ]);
    expect(messagesOf(await send(era, call()))).toHaveLength(1);
  });

  it("hands an upstream's JSON-RPC error on unchanged", async () => {
    const { one } = await start();
    one.answer = () => {
      throw new RpcFault({
        code: -32042,
        message: "line one\nline two",
        data: { url: "x", list: [1] },
      });
    };
    expect(lastOf(await send(era, call()))).toEqual({
      jsonrpc: "2.0",
      id: 7,
      error: { code: -32042, message: "line one\nline two", data: { url: "x", list: [1] } },
    });
  });

  it("answers our own failures with a code, the hint and the closed code", async () => {
    const { one } = await start();
    one.answer = () => {
      throw new AppError("timeout", "Late", { hint: "Wait" });
    };
    expect(lastOf(await send(era, call()))["error"]).toEqual({
      code: -32001,
      message: "Late (Wait)",
      data: { code: "timeout", message: "Late", hint: "Wait" },
    });
    one.answer = () => {
      throw new Error("a secret");
    };
    const bug = await send(era, call());
    expect(lastOf(bug)["error"]).toMatchObject({ code: -32603, message: "Unexpected failure" });
    expect(bug.text).not.toContain("a secret");
  });

  it("answers an unknown tool with -32602 and what may have been meant", async () => {
    await start();
    const { error } = lastOf(await send(era, call({ name: "one__ehco" })));
    expect(error).toMatchObject({
      code: -32602,
      message: 'Unknown tool "one__ehco" (Did you mean one__echo?)',
    });
    const nameless = lastOf(await send("legacy", { id: 1, method: "tools/call", params: {} }));
    expect(nameless["error"]).toMatchObject({ code: -32602 });
  });

  it("lets the model see what is wrong with its arguments", async () => {
    const { one, audit } = await start();
    const { result } = lastOf(await send(era, call({ arguments: { mesage: "x" } })));
    expect(result).toMatchObject({
      isError: true,
      content: [{ type: "text", text: expect.stringContaining('"message" is missing') }],
    });
    expect(one.requests).toEqual([]);
    expect(audit.events).toMatchObject([{ status: "error" }]);
  });

  it.each(["tasks/list", "vendor/odd", "__proto__"])(
    "does not know %s: -32601, in the modern era as HTTP 404",
    async (method) => {
      await start();
      const answer = await send(era, { id: 3, method });
      expect(lastOf(answer)).toMatchObject({ id: 3, error: { code: -32601 } });
      expect(answer.status).toBe(era === "modern" ? 404 : 200);
    },
  );

  it("lists only when the servers had their chance to start", async () => {
    const one = fakeUpstream("one", {});
    one.state = starting;
    const { pool } = await start(one, 60_000);
    const listed = send(era, { id: 1, method: "tools/list" });
    expect((await send(era, { id: 2, method: "vendor/odd" })).status).toBeGreaterThan(0);
    one.listing = { ...one.listing, tools: [echoTool] };
    one.state = { kind: "ready", era: "legacy" };
    pool.changed();
    expect(lastOf(await listed)).toMatchObject({ result: { tools: [{ name: "one__echo" }] } });
  });

  it("cancels the call when its stream is closed", async () => {
    const { one } = await start();
    let begun: ((options: UpstreamRequest) => void) | undefined;
    const called = new Promise<UpstreamRequest>((resolve) => (begun = resolve));
    one.answer = (options) => {
      begun?.(options);
      return new Promise<never>(() => undefined);
    };
    const client = new AbortController();
    const modern = {
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": "one__echo",
    };
    const params = { name: "one__echo", arguments: { message: "" } };
    const body = {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: era === "legacy" ? params : { ...params, _meta: envelope },
    };
    const pending = fetch(`http://127.0.0.1:${server.port}/mcp`, {
      method: "POST",
      signal: client.signal,
      headers: {
        ...good,
        accept,
        "content-type": "application/json",
        ...(era === "modern" ? modern : {}),
      },
      body: JSON.stringify(body),
    }).catch(() => undefined);
    const { signal } = await called;
    const aborted = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve()),
    );
    client.abort();
    await aborted;
    await pending;
    expect(signal.aborted).toBe(true);
  });
});
