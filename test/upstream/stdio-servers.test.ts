import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { callOptions, callTool, openPool, realServer, stdioServer } from "./support/pool.ts";

describe("real servers over stdio", () => {
  test("everything, memory and filesystem are listed and called", async () => {
    const folder = mkdtempSync(join(tmpdir(), "onedoor-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "note.txt"), "hello from a file");
    const memory = realServer("memory");
    const pool = openPool([
      realServer("everything"),
      { ...memory, env: { ...memory.env, MEMORY_FILE_PATH: join(folder, "memory.jsonl") } },
      realServer("filesystem", [folder]),
    ]);
    await pool.until(() =>
      [...pool.upstreams.values()].every(({ state }) => state.kind === "ready"),
    );

    const everything = pool.get("everything");
    expect(everything.serverInfo).toMatchObject({ name: "mcp-servers/everything" });
    expect(everything.listing.tools.map(({ name }) => name)).toContain("echo");
    expect(everything.stderrTail.join("\n")).toContain("Starting default (STDIO) server");
    await expect(
      callTool(everything, { name: "echo", arguments: { message: "hi" } }, callOptions()),
    ).resolves.toEqual({ content: [{ type: "text", text: "Echo: hi" }] });

    await expect(
      callTool(pool.get("memory"), { name: "read_graph", arguments: {} }, callOptions()),
    ).resolves.toMatchObject({ structuredContent: { entities: [], relations: [] } });
    await expect(
      callTool(
        pool.get("filesystem"),
        { name: "read_text_file", arguments: { path: join(folder, "note.txt") } },
        callOptions(),
      ),
    ).resolves.toMatchObject({ content: [{ type: "text", text: "hello from a file" }] });
  });

  test("progress reaches the caller and starts the idle limit again", async () => {
    const pool = openPool([realServer("everything")]);
    await pool.reaches("everything", "ready");
    const seen: unknown[] = [];
    const result = await callTool(
      pool.get("everything"),
      { name: "trigger-long-running-operation", arguments: { duration: 2, steps: 8 } },
      callOptions({ timeoutMs: 1500, onProgress: ({ progress }) => seen.push(progress) }),
    );
    expect(result["isError"]).toBeUndefined();
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("progress that arrives together with the answer is not lost", async () => {
    const pool = openPool([stdioServer("raw", "raw-server.mjs")]);
    await pool.reaches("raw", "ready");
    const seen: unknown[] = [];
    await callTool(
      pool.get("raw"),
      { name: "slow", arguments: { steps: 2, everyMs: 1 } },
      callOptions({ onProgress: (progress) => seen.push(progress) }),
    );
    expect(seen).toEqual([
      { progress: 1, total: 2, message: "step 1" },
      { progress: 2, total: 2, message: "step 2" },
    ]);
  });
});

describe("what a server sends is handed on as it is", () => {
  test("unknown fields of tools, results and errors survive (legacy)", async () => {
    const pool = openPool([stdioServer("raw", "raw-server.mjs")]);
    await expect(pool.reaches("raw", "ready")).resolves.toMatchObject({ era: "legacy" });
    const raw = pool.get("raw");
    expect(raw.instructions).toBe("Be careful.");
    expect(raw.serverInfo).toEqual({ name: "raw", version: "1.2.3" });
    expect(raw.listing.tools.find(({ name }) => name === "strange")).toEqual({
      name: "strange",
      title: "Strange",
      "x-vendor": { deep: [1, null, { a: "ü" }] },
      annotations: { readOnlyHint: true, "x-more": 1 },
      inputSchema: { type: "object", $defs: { a: { const: 1 } }, "x-unknown": [true] },
      execution: { taskSupport: "never" },
    });
    const params = {
      name: "strange",
      arguments: { nested: { list: [1, null] } },
      _meta: { "vendor/trace": "t", progressToken: "of another hop" },
      "x-extra": 1,
    };
    const result = await callTool(raw, params, callOptions());
    expect(result).toEqual({
      content: [
        { type: "hologram", frames: [1, 2], "x-y": null },
        { type: "text", text: "t", annotations: { priority: 0.5, "x-z": {} }, extra: 1 },
      ],
      structuredContent: [1, "two", { three: null }],
      _meta: { "vendor/key": { a: 1 } },
      isError: false,
      resultType: "complete",
      unknown: {
        params: {
          ...params,
          _meta: { "vendor/trace": "t", progressToken: expect.any(Number) },
        },
      },
    });
    await expect(callTool(raw, { name: "rpc-error" }, callOptions())).rejects.toMatchObject({
      name: "RpcFault",
      code: -32042,
      message: "line one\nline two",
      data: { url: "x", list: [1] },
    });
  });

  test("unknown content and an input_required result survive (modern)", async () => {
    const pool = openPool([stdioServer("modern", "modern-server.mjs")]);
    await expect(pool.reaches("modern", "ready")).resolves.toMatchObject({ era: "modern" });
    const modern = pool.get("modern");
    expect(modern.instructions).toBe("Modern.");
    expect(modern.serverInfo).toEqual({ name: "modern", version: "3.0.0" });
    expect(modern.listing.tools[0]).toMatchObject({ name: "strange", "x-vendor": 1 });
    const result = await callTool(modern, { name: "strange", arguments: { b: 2 } }, callOptions());
    expect(result).toMatchObject({
      resultType: "complete",
      content: [{ type: "hologram", frames: [1] }],
      structuredContent: { a: 1 },
      "x-unknown": [true],
      got: { b: 2 },
    });
    const question = await callTool(modern, { name: "ask", arguments: {} }, callOptions());
    expect(question).toMatchObject({
      resultType: "input_required",
      requestState: "opaque",
      inputRequests: { q: { method: "elicitation/create" } },
      "x-more": 1,
    });
    const answer = { q: { action: "decline" } };
    await expect(
      callTool(
        modern,
        { name: "ask", arguments: {}, requestState: "opaque", inputResponses: answer },
        callOptions(),
      ),
    ).resolves.toMatchObject({ answered: answer });
  });

  test("a server that speaks the modern era only is reached", async () => {
    const pool = openPool([stdioServer("modern", "modern-server.mjs", ["modern-only"])]);
    await expect(pool.reaches("modern", "ready")).resolves.toMatchObject({ era: "modern" });
  });

  test("every page of a tool list is fetched", async () => {
    const pool = openPool([stdioServer("raw", "raw-server.mjs", ["pages"])]);
    await pool.reaches("raw", "ready");
    expect(pool.get("raw").listing.tools.map(({ name }) => name)).toEqual([
      "page-0-a",
      "page-0-b",
      "page-1-a",
      "page-1-b",
      "page-2-a",
      "page-2-b",
    ]);
  });

  test.each([
    ["legacy", "raw-server.mjs"],
    ["modern", "modern-server.mjs"],
  ])("a changed tool list is listed again and told (%s)", async (era, fixture) => {
    const pool = openPool([stdioServer("changing", fixture)]);
    await expect(pool.reaches("changing", "ready")).resolves.toMatchObject({ era });
    const before = pool.get("changing").listing.tools.length;
    await callTool(pool.get("changing"), { name: "add-tool", arguments: {} }, callOptions());
    await pool.until(() => pool.get("changing").listing.tools.length === before + 1);
    expect(pool.get("changing").listing.tools.at(-1)?.name).toBe(`added-${before}`);
  });
});
