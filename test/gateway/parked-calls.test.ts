import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ClientPort } from "../../src/core/client-port.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import type { Principal } from "../../src/core/principal.ts";
import { createParkedCalls } from "../../src/gateway/parked-calls.ts";
import type { Attendance, SendCall, Turn } from "../../src/gateway/parked-calls.ts";
import { ada, modernClient } from "./fakes.ts";
import type { FakeClient } from "./fakes.ts";

const everything = { sampling: {}, elicitation: {}, roots: {} };
const never = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function createCalls(limits: Partial<Parameters<typeof createParkedCalls>[0]> = {}) {
  let turns = 0;
  return createParkedCalls({
    newTurn: () => `turn-${++turns}`,
    limitMs: 300_000,
    mostPerPrincipal: 2,
    mostInAll: 3,
    ...limits,
  });
}

interface Visit extends Attendance {
  client: FakeClient;
  progress: JsonObject[];
  leave: () => void;
}

function visit(capabilities: JsonObject = everything): Visit {
  const gone = new AbortController();
  const progress: JsonObject[] = [];
  return {
    client: modernClient(capabilities),
    signal: gone.signal,
    progress,
    onProgress: (params) => void progress.push(params),
    leave: () => {
      gone.abort(new Error("gone"));
    },
  };
}

function visitAs(role: Principal["role"]): Visit {
  const here = visit();
  const caller = { principal: { ...ada, role }, projectId: null };
  return { ...here, client: { ...here.client, caller } };
}

/** A call that asks each of these things, all at once, and answers with what it heard. */
const askingAll =
  (...methods: string[]): SendCall =>
  async ({ client, signal }) => {
    const heard = await Promise.all(
      methods.map((method, index) => client.request(method, { index }, signal)),
    );
    return { heard };
  };

/** Asks one thing after the other. */
const askingInTurn =
  (...methods: string[]): SendCall =>
  async ({ client, signal }) => {
    const heard: Json[] = [];
    for (const method of methods) {
      // oxlint-disable-next-line no-await-in-loop -- that is what it is for
      heard.push(await client.request(method, {}, signal));
    }
    return { heard };
  };

/** Time passes while something is waited for. */
async function meanwhile<Value>(waiting: Promise<Value>): Promise<Value> {
  waiting.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(20);
  return waiting;
}

function asked(turn: Turn): { turn: string; keys: string[] } {
  if (turn.kind !== "asks") throw new Error("It asks nothing");
  return { turn: turn.turn, keys: Object.keys(turn.inputRequests) };
}

describe("a call that asks nothing", () => {
  it("is answered, and its failure is its failure", async () => {
    const calls = createCalls();
    const result = { content: [] };
    expect(await calls.start("ada", visit(), () => Promise.resolve(result))).toEqual({
      kind: "done",
      result,
    });
    const fault = new Error("odd");
    await expect(calls.start("ada", visit(), () => Promise.reject(fault))).rejects.toBe(fault);
  });

  it("ends with the client that leaves", async () => {
    const here = visit();
    const heard: unknown[] = [];
    const waiting = createCalls().start("ada", here, ({ signal }) => {
      signal.addEventListener("abort", () => heard.push(signal.reason));
      return new Promise(() => undefined);
    });
    here.leave();
    await expect(waiting).rejects.toThrow("gone");
    expect(heard).toEqual([expect.objectContaining({ message: "gone" })]);
  });
});

const impatient: SendCall = async ({ client, signal }) => {
  client.request("roots/list", {}, signal).catch(() => undefined);
  await new Promise((resolve) => {
    setTimeout(resolve, 1_000);
  });
  return { early: true };
};

const takingBack: SendCall = async ({ client, signal }) => {
  const withdrawn = new AbortController();
  const one = client.request("roots/list", {}, withdrawn.signal).catch(() => "withdrawn");
  const two = client.request("sampling/createMessage", {}, signal);
  withdrawn.abort();
  return { heard: [await one, await two] };
};

describe("a call that asks", () => {
  it("asks several things in one answer, and goes on with the answers", async () => {
    const calls = createCalls();
    const first = await meanwhile(
      calls.start("ada", visit(), askingAll("roots/list", "sampling/createMessage")),
    );
    expect(first).toEqual({
      kind: "asks",
      turn: "turn-1",
      inputRequests: {
        "input-1": { method: "roots/list", params: { index: 0 } },
        "input-2": { method: "sampling/createMessage", params: { index: 1 } },
      },
    });
    const answers = { "input-1": { a: 1 }, "input-2": { b: 2 }, "input-9": "ignored" };
    expect(await calls.resume("turn-1", answers, visit())).toEqual({
      kind: "done",
      result: { heard: [{ a: 1 }, { b: 2 }] },
    });
  });

  it("asks again for what was left out, under the same name", async () => {
    const calls = createCalls();
    const methods = ["roots/list", "sampling/createMessage"];
    const first = asked(await meanwhile(calls.start("ada", visit(), askingAll(...methods))));
    const second = asked(await calls.resume(first.turn, { "input-2": {} }, visit()));
    expect(second.keys).toEqual(["input-1"]);
    const third = asked(await calls.resume(second.turn, undefined, visit()));
    expect(third.keys).toEqual(["input-1"]);
    expect(await calls.resume(third.turn, { "input-1": {} }, visit())).toMatchObject({
      kind: "done",
    });
  });

  it("can ask again after it was answered", async () => {
    const calls = createCalls();
    const asking = askingInTurn("roots/list", "roots/list");
    const first = asked(await meanwhile(calls.start("ada", visit(), asking)));
    const second = asked(
      await meanwhile(calls.resume(first.turn, { "input-1": { n: 1 } }, visit())),
    );
    expect(second.keys).toEqual(["input-2"]);
    expect(await calls.resume(second.turn, { "input-2": { n: 2 } }, visit())).toMatchObject({
      result: { heard: [{ n: 1 }, { n: 2 }] },
    });
  });

  it("is resumed by each turn once", async () => {
    const calls = createCalls();
    const { turn } = asked(await meanwhile(calls.start("ada", visit(), askingAll("roots/list"))));
    await calls.resume(turn, { "input-1": {} }, visit());
    await expect(calls.resume(turn, { "input-1": {} }, visit())).rejects.toMatchObject({
      code: -32_602,
    });
    await expect(calls.resume("turn-99", {}, visit())).rejects.toMatchObject({ code: -32_602 });
  });

  it.each<Json>([null, 5, [], { "input-1": 12345 }, { "input-1": null }])(
    "is not spoilt by %j, which is no answer",
    async (wrong) => {
      const calls = createCalls();
      const { turn } = asked(await meanwhile(calls.start("ada", visit(), askingAll("roots/list"))));
      await expect(calls.resume(turn, wrong, visit())).rejects.toMatchObject({ code: -32_602 });
      expect(await calls.resume(turn, { "input-1": {} }, visit())).toMatchObject({ kind: "done" });
    },
  );

  it("is made for who came for it last, also while it is parked", async () => {
    const calls = createCalls();
    const [first, second] = [visitAs("admin"), visitAs("viewer")];
    const seen: unknown[] = [];
    let port: ClientPort | undefined;
    const { turn } = asked(
      await meanwhile(
        calls.start("ada", first, async ({ client, signal }) => {
          port = client;
          seen.push(client.caller);
          await client.request("roots/list", {}, signal);
          seen.push(client.caller);
          await client.request("roots/list", {}, signal);
          return {};
        }),
      ),
    );
    expect(port?.caller).toBe(first.client.caller);
    asked(await meanwhile(calls.resume(turn, { "input-1": {} }, second)));
    expect(seen).toEqual([first.client.caller, second.client.caller]);
    expect(port?.caller).toBe(second.client.caller);
  });

  it("tells its news to the newest request, and to nobody while it is parked", async () => {
    const calls = createCalls();
    const [first, second] = [visit(), visit()];
    let say: ((text: string) => void) | undefined;
    const { turn } = asked(
      await meanwhile(
        calls.start("ada", first, async ({ client, signal, onProgress }) => {
          say = (text) => {
            client.notify("notifications/message", { data: text });
            onProgress?.({ progress: 1, message: text });
          };
          say("first");
          await client.request("roots/list", {}, signal);
          say("second");
          return {};
        }),
      ),
    );
    say?.("nobody");
    await calls.resume(turn, { "input-1": {} }, second);
    say?.("after the end");
    expect(first.client.told.map(({ params }) => params["data"])).toEqual(["first"]);
    expect(second.client.told.map(({ params }) => params["data"])).toEqual(["second"]);
    expect(first.progress.map(({ message }) => message)).toEqual(["first"]);
    expect(second.progress.map(({ message }) => message)).toEqual(["second"]);
  });

  it("keeps its end for the client that comes back, when the server did not wait for the answer", async () => {
    const calls = createCalls();
    const { turn } = asked(await meanwhile(calls.start("ada", visit(), impatient)));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await calls.resume(turn, { "input-1": {} }, visit())).toEqual({
      kind: "done",
      result: { early: true },
    });
  });

  it("no longer asks what the server took back", async () => {
    const calls = createCalls();
    const { turn, keys } = asked(await meanwhile(calls.start("ada", visit(), takingBack)));
    expect(keys).toEqual(["input-2"]);
    expect(await calls.resume(turn, { "input-2": {} }, visit())).toMatchObject({
      result: { heard: ["withdrawn", {}] },
    });
  });

  it("is refused what the client did not declare, and too much at once", async () => {
    const calls = createCalls();
    const codes: unknown[] = [];
    const greedy: SendCall = async ({ client, signal }) => {
      for (let count = 0; count < 25; count += 1) {
        const own = new AbortController().signal;
        client.request("roots/list", {}, own).catch(({ code }) => codes.push(code));
      }
      await client
        .request("sampling/createMessage", {}, signal)
        .catch(({ code }) => codes.push(code));
      return {};
    };
    const end = calls.start("ada", visit({ roots: {} }), greedy);
    await vi.advanceTimersByTimeAsync(20);
    await end;
    expect(codes.filter((code) => code === -32_603)).toHaveLength(5);
    expect(codes.filter((code) => code === -32_601)).toHaveLength(1);
  });
});

describe("a client that does not come back", () => {
  it("costs five minutes: then the call is cancelled and its turn is worth nothing", async () => {
    const calls = createCalls();
    const { turn } = asked(await meanwhile(calls.start("ada", visit(), abortable())));
    await vi.advanceTimersByTimeAsync(299_000);
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ends).toEqual([expect.objectContaining({ code: "timeout" })]);
    await expect(calls.resume(turn, { "input-1": {} }, visit())).rejects.toMatchObject({
      code: -32_602,
    });
  });

  it("or that leaves while it is served again, ends the call", async () => {
    const calls = createCalls();
    const asking = askingInTurn("roots/list", "roots/list");
    const { turn } = asked(await meanwhile(calls.start("ada", visit(), asking)));
    const back = visit();
    const waiting = calls.resume(turn, { "input-1": {} }, back);
    back.leave();
    await expect(waiting).rejects.toThrow("gone");
  });

  it("ends with the gateway", async () => {
    const calls = createCalls();
    await meanwhile(calls.start("ada", visit(), abortable()));
    calls.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(ends).toEqual([expect.objectContaining({ code: "upstream_unavailable" })]);
  });

  const ends: unknown[] = [];
  beforeEach(() => {
    ends.length = 0;
  });
  /** Asks, and ends as soon as it is told to, as an upstream's request does. */
  const abortable = (): SendCall => async (attendance) => {
    const { client, signal } = attendance;
    const cancelled = new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        ends.push(signal.reason);
        reject(signal.reason instanceof Error ? signal.reason : new Error("cancelled"));
      });
    });
    cancelled.catch(() => undefined);
    return Promise.race([cancelled, client.request("roots/list", {}, never)]);
  };
});

const park = async (calls: ReturnType<typeof createCalls>, principal: string) =>
  asked(await meanwhile(calls.start(principal, visit(), askingAll("roots/list"))));

describe("places", () => {
  it("are bounded for each principal and for all, and free again when a call is over", async () => {
    const calls = createCalls();
    const first = await park(calls, "ada");
    await park(calls, "ada");
    await expect(park(calls, "ada")).rejects.toMatchObject({ code: "rate_limited" });
    await park(calls, "bob");
    await expect(park(calls, "eve")).rejects.toMatchObject({ code: "rate_limited" });
    await calls.resume(first.turn, { "input-1": {} }, visit());
    await park(calls, "eve");
    await expect(park(calls, "ada")).rejects.toMatchObject({ code: "rate_limited" });
    await vi.advanceTimersByTimeAsync(300_000);
    await park(calls, "ada");
  });

  it("are free again when the client left, and not taken by calls that ask nothing", async () => {
    const calls = createCalls();
    for (let count = 0; count < 5; count += 1) {
      const here = visit();
      const waiting = calls.start("ada", here, askingAll("roots/list"));
      here.leave();
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect(waiting).rejects.toThrow("gone");
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await calls.start("ada", visit(), () => Promise.resolve({}));
    }
    await park(calls, "ada");
  });
});
