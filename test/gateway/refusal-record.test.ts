import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AuditEvent } from "../../src/core/audit.ts";
import type { CallLimits } from "../../src/core/call-limits.ts";
import { createRefusalRecord } from "../../src/gateway/refusal-record.ts";
import type { Refusal } from "../../src/gateway/refusal-record.ts";
import { bob, callerWith, fakeUpstream, gatewayOf, modernClient } from "./fakes.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A record whose rows are kept, and refusals for it. */
function bench() {
  const rows: AuditEvent[] = [];
  let ids = 0;
  const refusals = createRefusalRecord({
    audit: {
      append: (event) => void rows.push(event),
      flush: () => Promise.resolve(),
      queued: 0,
      dropped: 0,
    },
    now: () => 7_000,
    newId: () => `id${++ids}`,
  });
  const refuse = (times: number, who: Partial<Refusal> = {}): void => {
    for (let time = 0; time < times; time += 1) {
      refusals.add({
        timeMs: 5_000,
        toolName: "one__look",
        durationMs: 1,
        userId: "ann",
        organizationId: "acme",
        projectId: "p",
        sessionId: "s",
        clientName: "c",
        ...who,
      });
    }
  };
  const of = (userId: string | null): AuditEvent[] => rows.filter((row) => row.userId === userId);
  return { rows, refusals, refuse, of };
}

describe("refused calls", () => {
  it("are sixty rows a minute without arguments, and one that counts the rest", () => {
    const { rows, refuse } = bench();
    refuse(1_000);
    expect(rows).toHaveLength(60);
    expect(rows[59]).toMatchObject({ params: {}, status: "denied", toolName: "one__look" });
    vi.advanceTimersByTime(60_000);
    expect(rows).toHaveLength(61);
    expect(rows[60]).toEqual({
      id: "id61",
      timeMs: 7_000,
      toolName: "unknown",
      params: { leftOut: 940 },
      status: "denied",
      durationMs: 0,
      userId: "ann",
      organizationId: "acme",
      projectId: null,
      sessionId: null,
      clientName: "unknown",
    });
    refuse(61);
    expect(rows).toHaveLength(121);
  });

  it("are counted for each user of each organisation, and for strangers together", () => {
    const { refusals, refuse, rows } = bench();
    const everybody = [
      { userId: "ann", organizationId: "acme" },
      { userId: "ann", organizationId: "other" },
      { userId: "ann", organizationId: null },
      { userId: "bob", organizationId: "acme" },
      { userId: null, organizationId: null },
    ];
    for (const [at, who] of everybody.entries()) refuse(61 + at, who);
    expect(rows).toHaveLength(300);
    refusals.flush();
    expect(rows.slice(300)).toMatchObject(
      everybody.map((who, at) => Object.assign(who, { params: { leftOut: 1 + at } })),
    );
  });

  it("leave no row behind where none was left out, and nothing after the flush", () => {
    const { refusals, refuse, rows } = bench();
    refuse(60);
    refusals.flush();
    expect(rows).toHaveLength(60);
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(200_000);
    expect(rows).toHaveLength(60);
  });

  it("of very many users take one timer, and beyond a thousand of them no more rows than one user's", () => {
    const { refusals, refuse, rows, of } = bench();
    for (let user = 0; user < 100_000; user += 1) refuse(1, { userId: `u${user}` });
    expect(vi.getTimerCount()).toBe(1);
    expect(rows).toHaveLength(1_060);
    // Who came first is still counted alone.
    refuse(60, { userId: "u0" });
    expect(of("u0")).toHaveLength(60);
    refusals.flush();
    expect(rows.slice(-2)).toMatchObject([
      { userId: "u0", params: { leftOut: 1 } },
      { userId: null, organizationId: null, params: { leftOut: 98_940 } },
    ]);
  });
});

/** So many calls of Bob's, who is a viewer, of a tool that writes; each with large arguments and names. */
async function called(times: number, limits: CallLimits | undefined, name = "one__mend") {
  const started = gatewayOf(
    [fakeUpstream("one", { tools: [{ name: "mend", inputSchema: { type: "object" } }] })],
    { limits },
  );
  const params = { arguments: { pad: "x".repeat(7_000) } };
  const { signal } = new AbortController();
  const known = callerWith(modernClient(), { ...bob, organizationId: "acme" });
  const caller = { ...known, clientName: "c".repeat(9_000), projectId: "p".repeat(9_000) };
  for (let time = 0; time < times; time += 1) {
    const call = { address: { exposedName: name }, params, signal };
    await started.gateway.callTool(caller, call).catch(() => undefined);
  }
  return started;
}

describe("the gateway", () => {
  const none = { take: () => 1_000, takeTool: () => undefined };
  const noTool = { take: () => undefined, takeTool: () => 1_000 };

  it("samples what the user's limit refused, and tells the rest when it closes", async () => {
    const { gateway, audit } = await called(200, none);
    expect(audit.events).toHaveLength(60);
    for (const { params } of audit.events) expect(params).toEqual({});
    gateway.close();
    expect(audit.events.slice(60)).toMatchObject([
      { userId: "bob", organizationId: "acme", toolName: "unknown", params: { leftOut: 140 } },
    ]);
  });

  it("never samples what a role refused, nor what is not there, whose arguments are cut low", async () => {
    const { audit } = await called(200, undefined);
    expect(audit.events).toHaveLength(200);
    const { audit: unknown } = await called(200, noTool, "zzz".repeat(9_000));
    expect(unknown.events).toHaveLength(200);
    for (const event of unknown.events) expect(JSON.stringify(event).length).toBeLessThan(2_400);
  });
});
