import { describe, expect, test } from "vitest";
import { answerJson, legacySessions, openHttpUpstream } from "./support/http-upstream.ts";
import {
  callOptions,
  callTool,
  failure,
  httpServer,
  openPool,
  stdioServer,
} from "./support/pool.ts";
import type { TestPool } from "./support/pool.ts";

const raw = (name: string, ...modes: string[]) => stdioServer(name, "raw-server.mjs", modes);

async function openBoth(...modes: string[]): Promise<TestPool> {
  // One loss is enough: the bad one does not come back while the test looks.
  const pool = openPool([raw("bad", ...modes), raw("good")], {
    firstPauseMs: 30_000,
    stdinGraceMs: 50,
  });
  await pool.reaches("good", "ready");
  return pool;
}

async function expectGoodAnswers(pool: TestPool): Promise<void> {
  await expect(callTool(pool.get("good"), { name: "cancelled" }, callOptions())).resolves.toEqual({
    content: [],
    cancelled: [],
  });
}

describe("a server that floods us", () => {
  test.each([
    ["flood-pings", "does not read its input"],
    ["flood-answers", "sent more than 2000 lines a second that nobody asked for"],
    [
      "flood-rubbish",
      "sent more than 2000 lines a second that nobody asked for; 2001 lines on its standard output were no MCP messages",
    ],
  ])("by %s is given up, and the others go on", async (mode, reason) => {
    const pool = await openBoth(mode);
    await expectGoodAnswers(pool);
    await expect(pool.reaches("bad", "waiting")).resolves.toMatchObject({ reason });
    await expectGoodAnswers(pool);
  });

  test.each(["flood-logs", "flood-changes"])(
    "by %s is read slowly, and the others go on",
    async (mode) => {
      const pool = await openBoth(mode);
      await pool.reaches("bad", "ready");
      for (let call = 0; call < 20; call++) await expectGoodAnswers(pool);
      expect(pool.get("bad").state.kind).toBe("ready");
    },
  );
});

describe("an answer", () => {
  test("under another id, and one more than asked for, are not taken for the right one", async () => {
    const pool = await openBoth();
    await pool.reaches("bad", "ready");
    const bad = pool.get("bad");
    const other = failure(
      callTool(bad, { name: "hang" }, callOptions({ timeoutMs: 2000, maxTotalMs: 2000 })),
    );
    for (let round = 0; round < 3; round++) {
      await expect(callTool(bad, { name: "twice" }, callOptions())).resolves.toMatchObject({
        answer: "right",
      });
    }
    await expect(other).resolves.toMatchObject({ code: "timeout" });
    expect(bad.state.kind).toBe("ready");
  });

  test("that comes after its call was given up is dropped", async () => {
    const pool = await openBoth();
    await pool.reaches("bad", "ready");
    const bad = pool.get("bad");
    const slow = { name: "slow", arguments: { steps: 10, everyMs: 10 } };
    const limits = callOptions({ timeoutMs: 30, maxTotalMs: 30 });
    await expect(failure(callTool(bad, slow, limits))).resolves.toMatchObject({ code: "timeout" });
    // This one ends after the late answer of the other.
    await expect(callTool(bad, slow, callOptions())).resolves.toEqual({
      content: [{ type: "text", text: "done" }],
    });
    expect(bad.state.kind).toBe("ready");
  });

  test("of 100 MB ends the connection, and the others go on", async () => {
    const pool = await openBoth();
    await pool.reaches("bad", "ready");
    const waiting = pool.reaches("bad", "waiting");
    const huge = callTool(pool.get("bad"), { name: "huge" }, callOptions());
    await expectGoodAnswers(pool);
    await expect(failure(huge)).resolves.toMatchObject({ code: "upstream_unavailable" });
    await expect(waiting).resolves.toMatchObject({
      reason: "sent a message of more than 16 MiB",
    });
  });
});

describe("an answer beyond the limits", () => {
  test.each([false, true])(
    "nested too deeply (an error: %s) fails its call only",
    async (error) => {
      const pool = await openBoth();
      await pool.reaches("bad", "ready");
      const bad = pool.get("bad");
      const other = callTool(
        bad,
        { name: "slow", arguments: { steps: 3, everyMs: 10 } },
        callOptions(),
      );
      await expect(
        failure(callTool(bad, { name: "deep", arguments: { error } }, callOptions())),
      ).resolves.toMatchObject({
        code: "upstream_unavailable",
        message: 'Server "bad" is not available: it sent something nested too deeply',
      });
      await expect(other).resolves.toEqual({ content: [{ type: "text", text: "done" }] });
      expect(bad.state.kind).toBe("ready");
    },
  );

  test("nested too deeply in the list of tools is why the server does not start", async () => {
    const pool = await openBoth("deep-list");
    await expect(pool.reaches("bad", "waiting")).resolves.toMatchObject({
      reason: "it sent something nested too deeply",
    });
  });

  test("of too many values ends the connection, before they are made", async () => {
    const pool = await openBoth();
    await pool.reaches("bad", "ready");
    const call = (count: number) =>
      callTool(pool.get("bad"), { name: "many", arguments: { count } }, callOptions());
    await expect(call(400_000)).resolves.toMatchObject({ content: [] });
    await expect(failure(call(600_000))).resolves.toMatchObject({
      message: 'Server "bad" is not available: sent a message of more than 1000000 values',
    });
    await expectGoodAnswers(pool);
  });

  test.each([
    ["a body", "application/json"],
    ["an event", "text/event-stream"],
  ])("over HTTP in %s fails its call only", async (_name, type) => {
    const answers: Record<string, (start: string) => string> = {
      large: (start) => `${start}"${"x".repeat(17 * 1024 ** 2)}"}}`,
      many: (start) => `${start}[${"{},".repeat(600_000)}1]}}`,
      deep: (start) => `${start}${"[".repeat(100_000)}${"]".repeat(100_000)}}}`,
    };
    const sessions = legacySessions(({ body: { id, params } }, response) => {
      const answer = answers[String(params?.["name"])];
      if (answer === undefined) {
        answerJson(response, { jsonrpc: "2.0", id, result: { content: [] } });
        return;
      }
      const text = answer(`{"jsonrpc":"2.0","id":${id},"result":{"content":[],"v":`);
      response.writeHead(200, { "content-type": type });
      response.end(type === "application/json" ? text : `data: ${text}\n\n`);
    });
    const web = await openHttpUpstream(sessions.handle);
    const pool = openPool([httpServer("web", web.url)]);
    await pool.reaches("web", "ready");
    const call = (name: string) => callTool(pool.get("web"), { name }, callOptions());
    for (const name of Object.keys(answers)) {
      await expect(failure(call(name))).resolves.toMatchObject({ code: "upstream_unavailable" });
    }
    await expect(failure(call("deep"))).resolves.toMatchObject({
      message: 'Server "web" is not available: it sent something nested too deeply',
    });
    await expect(call("run")).resolves.toEqual({ content: [] });
    expect(pool.get("web").state.kind).toBe("ready");
  });
});
