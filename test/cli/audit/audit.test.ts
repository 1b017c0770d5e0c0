import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAudit } from "../../../src/cli/commands/audit.ts";
import { escapeForTerminal } from "../../../src/core/terminal-text.ts";
import { AdministrationBench, auditRow, refusal } from "../administration/fake-gateway.ts";
import type { Answer } from "../administration/fake-gateway.ts";
import type { SeenRequest } from "../../client/support/fake-server.ts";

let bench: AdministrationBench;
/** The rows of the gateway, the oldest first. */
let log: (typeof auditRow)[];
beforeEach(async () => {
  bench = await AdministrationBench.start();
  log = [];
  for (const sequence of [1, 2, 3]) log.push({ ...auditRow, sequence, id: `a${sequence}` });
  bench.answer = pageOf;
});
afterEach(() => bench.stop());

/** As the gateway answers, with filters left to it. */
function pageOf({ path }: SeenRequest): Answer {
  const query = new URL(path, "http://x").searchParams;
  const after = query.get("after") === null ? undefined : Number(query.get("after"));
  const limit = Number(query.get("limit"));
  const isOldest = query.get("order") === "oldest";
  const found = (isOldest ? log : log.toReversed()).filter(
    ({ sequence }) => after === undefined || (isOldest ? sequence > after : sequence < after),
  );
  const rows = found.slice(0, limit);
  const next = found.length > limit ? (rows.at(-1)?.sequence ?? null) : null;
  return [200, { rows, next }];
}

const many = (count: number): void => {
  log = Array.from({ length: count }, (_, index) => ({ ...auditRow, sequence: index + 1 }));
};
const plain = { follow: false };
const json = { json: true, format: "json" } as const;
const audit = () => createAudit(bench.dependencies);

describe("a list", () => {
  it("is a table, the newest last", async () => {
    log[1] = { ...auditRow, sequence: 2, status: "denied", tool_name: "files__write" };
    await bench.run(audit(), plain);
    expect(bench.stdout).toBe(
      [
        "TIME (UTC)           USER   TOOL          STATUS   MS  CLIENT",
        "2026-11-21 09:00:00  alice  files__read   success  12  claude",
        "2026-11-21 09:00:00  alice  files__write  denied   12  claude",
        "2026-11-21 09:00:00  alice  files__read   success  12  claude",
        "",
      ].join("\n"),
    );
    expect(bench.asked).toEqual(["GET /api/v1/audit?order=newest&limit=100"]);
  });

  it("is one array under the contract's names, nulls included", async () => {
    bench.answer = () => [200, { rows: [{ ...auditRow, more: 1 }], next: null }];
    await bench.run(audit(), { ...plain, ...json });
    expect(JSON.parse(bench.stdout)).toEqual([auditRow]);
    expect(Object.keys(JSON.parse(bench.stdout)[0])).toEqual(Object.keys(auditRow));
  });

  it("passes every filter on", async () => {
    await bench.run(audit(), {
      ...plain,
      since: "1h",
      until: "2026-11-21T09:30",
      tool: "files__*",
      status: "denied",
      user: "bob",
      organization: "acme",
      project: "p & q",
      session: "s",
      client: "c",
      limit: 5,
    });
    const [asked = ""] = bench.asked;
    expect(Object.fromEntries(new URL(asked.slice(4), "http://x").searchParams)).toMatchObject({
      since: "2026-11-21T09:00:00.000Z",
      until: "2026-11-21T09:30:00.000Z",
      tool: "files__*",
      status: "denied",
      user: "bob",
      organization: "acme",
      session: "s",
      client: "c",
      limit: "5",
    });
    expect(asked).toContain("project=p+&+q&");
  });

  it("takes several pages where more are wanted, and no more than that", async () => {
    many(2500);
    await bench.run(audit(), { ...plain, ...json, limit: 1500 });
    const rows: { sequence: number }[] = JSON.parse(bench.stdout);
    expect(rows.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 1500 }, (_, index) => 1001 + index),
    );
    expect(bench.asked).toEqual([
      "GET /api/v1/audit?order=newest&limit=1000",
      "GET /api/v1/audit?order=newest&limit=500&after=1501",
    ]);
  });

  it("says where there is nothing, in the form asked for", async () => {
    log = [];
    await bench.run(audit(), plain);
    expect([bench.stdout, bench.notes]).toEqual(["", ["No such calls are recorded"]]);
    await bench.run(audit(), { ...plain, ...json });
    await bench.run(audit(), { ...plain, format: "jsonl" });
    expect(bench.stdout).toBe("[]\n");
    await bench.run(audit(), { ...plain, format: "csv", limit: 1 });
    expect(bench.stdout.split("\n")).toHaveLength(3);
  });

  it("fits a terminal, and does nothing to it", async () => {
    bench.columns = 70;
    log = [{ ...auditRow, tool_name: `x\u001b[2J${"y".repeat(300)}`, client_name: "a\r\nb\u202e" }];
    const { context } = bench;
    const io = Object.defineProperty(context.io, "foreign", {
      value: (text: string) => escapeForTerminal(text, { lines: true }),
    });
    const frame = { format: "text", json: false, quiet: false, debug: false } as const;
    await audit().run({ ...frame, ...plain }, { ...context, io });
    expect(bench.stdout).toContain(String.raw`x\x1b[2Jyyy`);
    expect(bench.stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    for (const line of bench.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(70);
    for (const format of ["jsonl", "csv", "json"] as const) {
      bench.stdout = "";
      await audit().run({ ...frame, ...plain, format }, { ...context, io });
      expect(bench.stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });

  it.each([
    { limit: 0 },
    { limit: -1 },
    { limit: 1.5 },
    { limit: 100_001 },
    { since: "soon" },
    { until: "2026-02-30" },
    { since: "1h", until: "2h" },
    { follow: true, until: "1h" },
    { follow: true, output: "x" },
    { output: "/no/such/folder/x" },
    { output: "/" },
  ])("refuses %j before anybody is asked", async (options) => {
    expect((await bench.failure(audit(), { ...plain, ...options })).code).toBe("usage");
    expect(bench.asked).toEqual([]);
  });
});

describe("an export", () => {
  it("takes everything there is when it begins, the oldest first, page by page", async () => {
    many(2100);
    const answer = bench.answer;
    bench.answer = (request) => {
      // Calls go on while it is made.
      log.push({ ...auditRow, sequence: log.length + 1 });
      return answer(request);
    };
    await bench.run(audit(), { ...plain, format: "jsonl" });
    const rows = bench.stdout.trimEnd().split("\n");
    // The first request adds one, and sees it.
    expect(rows).toHaveLength(2101);
    expect(rows.map((line): number => JSON.parse(line).sequence)).toEqual(
      Array.from({ length: 2101 }, (_, index) => index + 1),
    );
    expect(bench.asked).toHaveLength(4);
  });

  it("is as much as --limit says, of the newest", async () => {
    many(300);
    await bench.run(audit(), { ...plain, format: "jsonl", limit: 2 });
    const rows = bench.stdout.trimEnd().split("\n");
    expect(rows.map((line): number => JSON.parse(line).sequence)).toEqual([299, 300]);
  });

  it("is CSV with a header, formulas as text", async () => {
    const client_name = '=HYPERLINK("http://x","y")';
    log = [{ ...auditRow, client_name, params: { path: 'a "b", c' } }];
    await bench.run(audit(), { ...plain, format: "csv" });
    expect(bench.stdout).toBe(
      [
        "sequence,id,time,tool_name,params,status,duration_ms,user_id,organization_id,project_id,session_id,client_name",
        String.raw`1,a1,2026-11-21T09:00:00.123Z,files__read,"{""path"":""a \""b\"", c""}",success,12,alice,,,,"'=HYPERLINK(""http://x"",""y"")"`,
        "",
      ].join("\r\n"),
    );
  });

  it("goes into a file of this user alone, over the one that was there", async () => {
    many(1500);
    const output = join(bench.folder, "audit.jsonl");
    writeFileSync(output, "old", { mode: 0o644 });
    await bench.run(audit(), { ...plain, format: "jsonl", output });
    expect(bench.stdout).toBe("");
    expect(readFileSync(output, "utf8").trimEnd().split("\n")).toHaveLength(1500);
    expect(statSync(output).mode & 0o777).toBe(0o600);
    expect(bench.notes).toEqual([`1500 calls written to ${output}`]);
    await bench.run(audit(), { ...plain, output: join(bench.folder, "table.txt"), limit: 1 });
    expect(readFileSync(join(bench.folder, "table.txt"), "utf8")).toContain("files__read");
  });

  it("leaves the file as it was when it fails on the way", async () => {
    many(1500);
    const output = join(bench.folder, "audit.csv");
    writeFileSync(output, "old");
    const answer = bench.answer;
    bench.answer = (request) =>
      request.path.includes("after=") ? refusal(500, "store_unavailable") : answer(request);
    const failure = await bench.failure(audit(), { ...plain, format: "csv", output });
    expect(failure.code).toBe("store_unavailable");
    expect(readFileSync(output, "utf8")).toBe("old");
    expect(readdirSync(bench.folder).filter((name) => name.endsWith(".part"))).toEqual([]);
    const absent = join(bench.folder, "other.csv");
    await bench.failure(audit(), { ...plain, format: "csv", output: absent });
    expect(existsSync(absent)).toBe(false);
  });

  it("shows how far it is, but not among the rows on a terminal", async () => {
    many(2000);
    const spun: string[] = [];
    const spin = (text: string) => {
      spun.push(text);
      return { update: (next: string) => spun.push(next), stop: () => undefined };
    };
    const frame = { json: false, quiet: false, debug: false, format: "jsonl" } as const;
    const runWith = async (output: string | undefined): Promise<void> => {
      const { context } = bench;
      const io = Object.defineProperty(context.io, "spin", { value: spin });
      await audit().run({ ...frame, ...plain, output }, { ...context, io });
    };
    await runWith(join(bench.folder, "x.jsonl"));
    expect(spun[1]).toContain("50 % 1000 calls");
    expect(spun[2]).toContain("100 % 2000 calls");
    spun.length = 0;
    bench.columns = 80;
    await runWith(undefined);
    expect(spun).toEqual([]);
  });
});

/** As a gateway answers whom looking takes long: three rows are looked at, and every fifth fits. */
function slowPageOf({ path }: SeenRequest): Answer {
  const query = new URL(path, "http://x").searchParams;
  const isOldest = query.get("order") === "oldest";
  const after = Number(query.get("after") ?? (isOldest ? 0 : 23));
  const seen = [1, 2, 3].map((step) => (isOldest ? after + step : after - step));
  const rows = seen.flatMap((sequence) =>
    sequence % 5 === 0 && sequence > 0 && sequence < 23 ? [{ ...auditRow, sequence }] : [],
  );
  const last = seen.at(-1) ?? 0;
  return [200, { rows, next: last > 1 && last < 22 ? last : null }];
}

it.each([{ limit: 3 }, { limit: 100 }, {}])(
  "pages without rows lead on, as those with few: %j",
  async (options) => {
    bench.answer = slowPageOf;
    await bench.run(audit(), { ...plain, format: "jsonl", ...options });
    const rows = bench.stdout.trimEnd().split("\n");
    const wanted = [5, 10, 15, 20];
    expect(rows.map((line): number => JSON.parse(line).sequence)).toEqual(
      options.limit === 3 ? wanted.slice(1) : wanted,
    );
  },
);

describe("an answer that is none", () => {
  it.each([
    ["no rows", { next: null }],
    ["a wrong row", { rows: [{ ...auditRow, duration_ms: "12" }], next: null }],
    ["a time that is none", { rows: [{ ...auditRow, time: "\u001b[2J" }], next: null }],
    ["a missing null", { rows: [{ ...auditRow, user_id: undefined }], next: null }],
    ["params that are none", { rows: [{ ...auditRow, params: "x" }], next: null }],
    [
      "more rows than were asked for",
      { rows: [auditRow, { ...auditRow, sequence: 0 }], next: null },
    ],
    ["a next that is none", { rows: [auditRow], next: "1" }],
    ["a next that leads elsewhere", { rows: [auditRow], next: 5 }],
    ["a next without rows", { rows: [], next: 1 }],
    ["no JSON", "<html>"],
  ])("%s", async (_what, body) => {
    bench.answer = () => [200, body];
    for (const format of ["text", "jsonl"] as const) {
      const failure = await bench.failure(audit(), { ...plain, format, limit: 1 });
      expect(failure.code).toBe("unreachable");
    }
    expect(bench.stdout).toBe("");
  });

  it("pages in a circle", async () => {
    bench.answer = ({ path }) =>
      path.includes("order=newest")
        ? [200, { rows: [{ ...auditRow, sequence: 9 }], next: null }]
        : [200, { rows: [auditRow], next: 1 }];
    expect((await bench.failure(audit(), { ...plain, format: "csv" })).message).toContain(
      "in no order",
    );
    expect(bench.asked).toHaveLength(3);
  });
});
