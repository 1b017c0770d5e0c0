import { describe, expect, it } from "vitest";
import { isJsonObject } from "../../src/core/json.ts";
import type { StopSignal } from "../../src/core/stop-signal.ts";
import { fakeUpstream } from "../gateway/fakes.ts";
import { ask, good, startTestServer } from "../http/support.ts";
import {
  accept,
  call,
  envelope,
  initialize,
  lastOf,
  messagesOf,
  openSession,
  post,
  send,
  server,
  start,
} from "./wire.ts";

// What is around a message at /mcp: its body, the headers of the modern era, the sessions of the legacy one.

/** A call of this many bytes. */
function bodyOf(length: number): string {
  const text = JSON.stringify({ jsonrpc: "2.0", ...call({ arguments: { message: "" } }) });
  return text.replace('"message":""', `"message":"${"x".repeat(length - text.length)}"`);
}

describe("a body", () => {
  it("that is no JSON is a JSON-RPC parse error; another type is 415", async () => {
    await start();
    const broken = await post("{");
    expect(broken.status).toBe(400);
    expect(broken.json).toMatchObject({ jsonrpc: "2.0", id: null, error: { code: -32700 } });
    for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
      const typed = await post("{}", type);
      expect(typed.status).toBe(415);
      expect(typed.json).toMatchObject({ jsonrpc: "2.0", id: null, error: { code: -32600 } });
    }
  });

  it("of more bytes than the configuration allows is 413, and no other is", async () => {
    const { gateway } = await start();
    const small = await startTestServer({ gateway, configuration: { maxBodyBytes: 500 } });
    const headers = { ...good, accept, "content-type": "application/json" };
    const fits = await ask(small.port, "/mcp", { body: bodyOf(500), headers });
    expect([fits.status, fits.json]).toMatchObject([200, { result: {} }]);
    const over = await ask(small.port, "/mcp", { body: bodyOf(501), headers });
    expect(over.status).toBe(413);
    const message = "The request's body is larger than 500 bytes";
    expect(over.json).toMatchObject({ jsonrpc: "2.0", id: null, error: { code: -32600, message } });
    await small.close(0);
  });

  it("may hold a batch in the legacy era", async () => {
    const { one } = await start();
    const batch = [
      { jsonrpc: "2.0", ...call(), id: "a" },
      { jsonrpc: "2.0", id: "b", method: "vendor/odd" },
      { jsonrpc: "2.0", ...call({ arguments: { message: "two" } }), id: "c" },
    ];
    const answer = await ask(server.port, "/mcp", { body: batch, headers: { ...good, accept } });
    const byId = new Map(
      messagesOf(answer).flatMap((m) => (isJsonObject(m) ? [[m["id"], m]] : [])),
    );
    expect(byId.get("b")).toMatchObject({ error: { code: -32601 } });
    expect(byId.get("c")).toMatchObject({ result: { content: [{ type: "text" }] } });
    expect(one.requests.map(({ params }) => params)).toEqual([
      { name: "echo", arguments: { message: "hi" } },
      { name: "echo", arguments: { message: "two" } },
    ]);
  });
});

describe("a modern request", () => {
  it("must say in its headers what it says in its body", async () => {
    await start();
    const answer = await send("modern", call(), { "mcp-name": "other" });
    expect(answer.status).toBe(400);
    expect(lastOf(answer)).toMatchObject({ error: { code: -32020 } });
  });

  it("finds out the gateway with server/discover, instructions included", async () => {
    const one = fakeUpstream("one");
    one.instructions = "Be careful";
    await start(one);
    const { result } = lastOf(await send("modern", { id: 1, method: "server/discover" }));
    expect(result).toMatchObject({
      supportedVersions: ["2026-07-28"],
      capabilities: { tools: { listChanged: true } },
      instructions: expect.stringContaining("| Be careful"),
    });
  });

  it("may listen for changes of the tools, and is let go when the gateway stops", async () => {
    const { one, pool } = await start();
    const method = "subscriptions/listen";
    const params = { notifications: { toolsListChanged: true }, _meta: envelope };
    const { body } = await fetch(`http://127.0.0.1:${server.port}/mcp`, {
      method: "POST",
      headers: {
        ...good,
        accept,
        "content-type": "application/json",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": method,
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 9, method, params }),
    });
    let heard = "";
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    const hear = async (wanted: string): Promise<void> => {
      while (!heard.includes(wanted)) {
        const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
        if (done) throw new Error(`The stream ended without ${wanted}: ${heard}`);
        heard += value;
      }
    };
    await hear("notifications/subscriptions/acknowledged");
    one.listing = { ...one.listing, tools: [] };
    pool.changed();
    await hear("notifications/tools/list_changed");
    // A grace of a minute: what stays open would outlast the test.
    await server.close(60_000);
    expect(heard).toContain('"io.modelcontextprotocol/subscriptionId":9');
    await reader?.cancel().catch(() => undefined);
  });

  it("is known in the audit by its own client's name, and has no session", async () => {
    const { audit } = await start();
    await send("modern", call(), { "mcp-session-id": "whatever" });
    expect(audit.events).toMatchObject([{ clientName: "modern-client", sessionId: null }]);
  });
});

describe("a legacy session", () => {
  it("begins with initialize, which says who we are and what to know", async () => {
    await start();
    const answer = await send("legacy", initialize);
    expect(lastOf(answer)["result"]).toMatchObject({
      protocolVersion: "2025-11-25",
      serverInfo: { name: "onedoor", version: "1.2.3" },
      capabilities: { tools: { listChanged: true }, prompts: {}, resources: { subscribe: true } },
      instructions: expect.stringContaining("=== PLAYBOOK ==="),
    });
    expect(answer.headers["mcp-session-id"]).toMatch(/^[\x21-\x7e]{20,}$/u);
  });

  it("names the client and the session in the audit", async () => {
    const { audit } = await start();
    const id = await openSession();
    await send("legacy", call(), { "mcp-session-id": id });
    await send("legacy", call());
    expect(audit.events).toMatchObject([
      { clientName: "legacy-client", sessionId: id },
      { clientName: "unknown", sessionId: null },
    ]);
  });

  it("ends with DELETE, and is then 404 like one that never was", async () => {
    await start();
    const id = await openSession();
    const headers = { ...good, "mcp-session-id": id, "content-type": "application/json" };
    expect((await ask(server.port, "/mcp", { method: "DELETE", headers })).status).toBe(204);
    const typed = { ...good, "mcp-session-id": await openSession(), "content-type": "text/plain" };
    const emptied = { ...typed, "content-length": "0" };
    expect((await ask(server.port, "/mcp", { method: "DELETE", headers: emptied })).status).toBe(
      204,
    );
    expect((await ask(server.port, "/mcp", { method: "DELETE", headers })).status).toBe(404);
    const answer = await send("legacy", call(), { "mcp-session-id": id });
    expect(answer.status).toBe(404);
    expect(answer.json).toMatchObject({ jsonrpc: "2.0", error: { code: -32001 } });
  });

  it("takes notifications/cancelled for its own calls only", async () => {
    const { one } = await start();
    const signals: StopSignal[] = [];
    let begun: (() => void) | undefined;
    one.answer = ({ signal }) => {
      signals.push(signal);
      begun?.();
      return new Promise<never>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("cancelled")));
      });
    };
    const [mine, other] = [await openSession(), await openSession()];
    const calls = [];
    for (const session of [mine, other]) {
      const called = new Promise<void>((resolve) => (begun = resolve));
      calls.push(send("legacy", call(), { "mcp-session-id": session }));
      await called;
    }
    const cancel = { method: "notifications/cancelled", params: { requestId: 7 } };
    expect((await send("legacy", cancel)).status).toBe(202);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
    expect((await send("legacy", cancel, { "mcp-session-id": mine })).status).toBe(202);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await calls[0];
    await send("legacy", cancel, { "mcp-session-id": other });
    await calls[1];
  });
});
