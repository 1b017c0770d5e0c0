import { afterEach, beforeEach, expect, it } from "vitest";
import { createAudit } from "../../../src/cli/commands/audit.ts";
import { AdministrationBench, auditRow, refusal } from "../administration/fake-gateway.ts";
import type { Answer } from "../administration/fake-gateway.ts";
import type { SeenRequest } from "../../client/support/fake-server.ts";

let bench: AdministrationBench;
let log: (typeof auditRow)[];
/** What happens at each pause, in turn; after the last, Ctrl-C. */
let pauses: (() => Promise<void> | void)[];
let waited: number[];
const ctrlC = new Error("Ctrl-C");

beforeEach(async () => {
  bench = await AdministrationBench.start();
  log = [];
  pauses = [];
  waited = [];
  bench.answer = pageOf;
});
afterEach(() => bench.stop());

const add = (sequence: number): void => void log.push({ ...auditRow, sequence });

function pageOf({ path }: SeenRequest): Answer {
  const query = new URL(path, "http://x").searchParams;
  const after = Number(query.get("after") ?? "0");
  const limit = Number(query.get("limit"));
  const found =
    query.get("order") === "oldest"
      ? log.filter(({ sequence }) => sequence > after)
      : log.toReversed();
  const rows = found.slice(0, limit);
  return [200, { rows, next: found.length > limit ? (rows.at(-1)?.sequence ?? null) : null }];
}

async function follow(options: object = {}): Promise<unknown> {
  const interruption = new AbortController();
  const command = createAudit(bench.dependencies, async (ms, signal) => {
    waited.push(ms);
    const next = pauses.shift();
    if (next === undefined) interruption.abort(ctrlC);
    else await next();
    signal.throwIfAborted();
  });
  const context = { ...bench.context, signal: interruption.signal };
  const frame = { format: "jsonl", json: false, quiet: false, debug: false } as const;
  return command.run({ ...frame, follow: true, ...options }, context).then(
    () => undefined,
    (error: unknown) => error,
  );
}

const shown = (): number[] =>
  bench.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line): number => JSON.parse(line).sequence);

it("shows the last few, then what comes, and ends with Ctrl-C", async () => {
  for (let sequence = 1; sequence <= 30; sequence += 1) add(sequence);
  pauses = [() => add(31), () => undefined, () => (add(32), add(33))];
  expect(await follow()).toBe(ctrlC);
  expect(shown()).toEqual([...Array.from({ length: 10 }, (_, index) => 21 + index), 31, 32, 33]);
  expect(bench.asked.slice(0, 3)).toEqual([
    "GET /api/v1/audit?order=newest&limit=10",
    "GET /api/v1/audit?order=oldest&limit=1000&after=30",
    "GET /api/v1/audit?order=oldest&limit=1000&after=30",
  ]);
  expect(bench.notes).toEqual([]);
});

it("begins with nothing where there is nothing, and takes a flood without a rest", async () => {
  pauses = [
    () => {
      for (let sequence = 1; sequence <= 2500; sequence += 1) add(sequence);
    },
  ];
  await follow({ limit: 3, tool: "files__*" });
  expect(shown()).toHaveLength(2500);
  expect(waited).toHaveLength(2);
  for (const asked of bench.asked) expect(asked).toContain("tool=files__*");
});

it("goes on after pages without rows, at once", async () => {
  add(1);
  pauses = [
    () => {
      bench.answer = ({ path }) =>
        path.endsWith("after=9")
          ? [200, { rows: [{ ...auditRow, sequence: 12 }], next: null }]
          : [200, { rows: [], next: path.endsWith("after=1") ? 5 : 9 }];
    },
  ];
  await follow();
  expect(shown()).toEqual([1, 12]);
  expect(waited).toHaveLength(2);
});

it("waits for a gateway that goes away, and shows what it wrote meanwhile", async () => {
  add(1);
  let before = "";
  pauses = [
    async () => {
      before = bench.url;
      await bench.goAway();
    },
    () => undefined,
    async () => {
      add(2);
      await bench.listen();
    },
    () => add(3),
  ];
  expect(await follow()).toBe(ctrlC);
  expect(shown()).toEqual([1, 2, 3]);
  expect(bench.url).not.toBe(before);
  expect(bench.notes).toEqual([
    `Your gateway at ${before} is not running; waiting for it`,
    "The gateway is there again",
  ]);
  // The new one has its own token.
  expect(new Set(bench.bearers)).toEqual(new Set(["Bearer od_minted_2"]));
});

it("begins anew with a log that begins anew", async () => {
  for (const sequence of [1, 2, 3]) add(sequence);
  pauses = [
    () => bench.goAway(),
    async () => {
      log = [];
      add(1);
      await bench.listen();
    },
    () => add(2),
  ];
  await follow();
  expect(shown()).toEqual([1, 2, 3, 1, 2]);
  expect(bench.notes).toContain("Its audit log begins anew");
});

it("says each outage, and none with --quiet", async () => {
  const outage = [() => bench.goAway(), async () => void (await bench.listen())];
  pauses = [...outage, ...outage];
  await follow();
  expect(bench.notes).toHaveLength(4);
  bench.notes.length = 0;
  pauses = [...outage];
  await follow({ quiet: true });
  expect(bench.notes).toEqual([]);
});

it("waits as long as a gateway says that it is asked too often", async () => {
  add(1);
  let refusals = 1;
  bench.answer = (request) =>
    request.path.includes("order=oldest") && refusals-- > 0
      ? [429, { error: { code: "rate_limited", message: "no", retryAfterSeconds: 7 } }]
      : pageOf(request);
  pauses = [() => undefined];
  await follow();
  expect(waited).toEqual([7000, 1000]);
});

it.each(["forbidden", "usage", "auth_rejected"])("ends with %s", async (code) => {
  bench.answer = (request) =>
    request.path.includes("order=oldest") ? refusal(403, code) : pageOf(request);
  expect(await follow()).toMatchObject({ code });
});

it("does not wait for a gateway that was never there", async () => {
  bench.answer = () => refusal(503, "store_unavailable");
  expect(await follow()).toMatchObject({ code: "store_unavailable" });
  await bench.goAway();
  expect(await follow()).toMatchObject({ code: "unreachable" });
  expect(waited).toEqual([]);
});

it("is a table with its head first, CSV with its header, and with --json one object a line", async () => {
  add(1);
  pauses = [() => add(2)];
  await follow({ format: "text" });
  expect(bench.stdout.split("\n").map((line) => line.slice(0, 10))).toEqual([
    "TIME (UTC)",
    "2026-11-21",
    "2026-11-21",
    "",
  ]);
  bench.stdout = "";
  pauses = [() => add(3)];
  await follow({ format: "csv" });
  expect(bench.stdout.split("\r\n").map((line) => line.slice(0, 8))).toEqual([
    "sequence",
    "1,a1,202",
    "2,a1,202",
    "3,a1,202",
    "",
  ]);
  bench.stdout = "";
  await follow({ format: "json", json: true });
  expect(shown()).toEqual([1, 2, 3]);
});
