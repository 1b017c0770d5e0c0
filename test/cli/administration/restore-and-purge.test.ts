import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPurge } from "../../../src/cli/commands/admin.ts";
import { createRestore } from "../../../src/cli/commands/mcp.ts";
import { AdministrationBench, change } from "./fake-gateway.ts";

let bench: AdministrationBench;
beforeEach(async () => {
  bench = await AdministrationBench.start();
});
afterEach(() => bench.stop());

const json = { json: true, format: "json" } as const;
const printed = (): unknown => JSON.parse(bench.stdout);

describe("agent mcp restore", () => {
  it("restores", async () => {
    bench.answer = () => [202, { restored: "my files", from: change }];
    await bench.run(createRestore(bench.dependencies), { server: "my files" });
    expect(bench.asked).toEqual(["POST /api/v1/admin/servers/my files/restore"]);
    expect(bench.stdout).toBe("Server my files is again as it was before 2026-11-02 10:00 UTC\n");
    bench.stdout = "";
    await bench.run(createRestore(bench.dependencies), { server: "my files", ...json });
    // An older gateway, which does not say what became of it.
    const more = { missingSecrets: [], gateway: "unknown" };
    expect(printed()).toEqual({ restored: "my files", from: change, ...more });
  });

  it("names each secret that is gone, the command that gives it, and what the gateway made of it", async () => {
    const fingerprint = "a".repeat(64);
    const entry = { command: "x", env: { T: "${secret:f/T}" }, headers: { A: "${secret:f/A}" } };
    const from = { ...change, before: entry };
    const time = "2026-11-02T10:00:00.000Z";
    const status = { file: "/m.json", fingerprint, loadedAt: time, readAt: time, problem: null };
    bench.answer = (question) =>
      question.method === "POST"
        ? [202, { restored: "f", from, missingSecrets: ["f/T", "f/A"], fingerprint }]
        : [200, status];
    await bench.run(createRestore(bench.dependencies), { server: "f", ...json });
    expect(printed()).toMatchObject({ gateway: "applied", missingSecrets: ["f/T", "f/A"] });
    expect(bench.notes.slice(-3)).toEqual([
      "The secret f/T is not kept any more: agent mcp add f --env T --replace",
      "The secret f/A is not kept any more: agent mcp add f --header A --replace",
      "hint: agent mcp enable f, once that is done",
    ]);
  });

  it.each(["..", ".", "a/b", ""])("takes no name that would lead elsewhere: %j", async (server) => {
    const failure = await bench.failure(createRestore(bench.dependencies), { server });
    expect(failure.code).toBe("usage");
    expect(bench.asked).toEqual([]);
  });
});

describe("agent admin purge", () => {
  const purged = { organizations: 1, users: 2, members: 0, tokens: 3, serverEntries: 1 };
  beforeEach(() => {
    bench.answer = () => [200, { purged }];
  });

  it("removes with --yes, and counts what it was", async () => {
    await bench.run(createPurge(bench.dependencies), { before: "30d", yes: true });
    expect(bench.asked).toEqual(['POST /api/v1/admin/purge {"before":"2026-10-22T10:00:00.000Z"}']);
    expect(bench.stdout).toBe(
      "Removed for good: 1 organisation, 2 users, 0 memberships, 3 tokens, 1 old server entry\n",
    );
    bench.stdout = "";
    await bench.run(createPurge(bench.dependencies), { before: "30d", yes: true, ...json });
    expect(printed()).toEqual({ purged });
  });

  it("does nothing unasked", async () => {
    const purge = createPurge(bench.dependencies);
    const failure = await bench.failure(purge, { before: "30d", yes: false });
    expect(failure).toMatchObject({ code: "usage" });
    expect(failure.hint).toContain("--yes removes for good: organisations, users");
    expect(failure.hint).toContain("2026-10-22 10:00 UTC");
    expect((await bench.failure(purge, { yes: true })).code).toBe("usage");
    expect((await bench.failure(purge, { before: "later", yes: true })).code).toBe("usage");
    expect(bench.asked).toEqual([]);
  });

  it.each([
    ["y\n", 1],
    ["yes\n", 1],
    ["n\n", 0],
    ["\n", 0],
    ["", 0],
  ])("asks on a terminal; %j", async (typed, requests) => {
    bench.terminal = true;
    bench.pipe(typed);
    const { context } = bench;
    const io = Object.defineProperty(context.io, "stdinIsTerminal", { value: true });
    const frame = { format: "text", json: false, quiet: false, debug: false } as const;
    const purge = createPurge(bench.dependencies);
    await purge.run({ ...frame, before: "30d", yes: false }, { ...context, io });
    expect(bench.asked).toHaveLength(requests);
    const question = bench.notes.filter((note) => !/^(?:Using|Nothing) /u.test(note));
    expect(question.join(" ")).toMatch(
      /^This removes for good: .* 2026-10-22 .* Go on\? \[y\/N\]$/u,
    );
    expect(question.length).toBeGreaterThan(1);
    expect(question.filter((line) => line.length > 80)).toEqual([]);
    expect(bench.notes.includes("Nothing was removed")).toBe(requests === 0);
  });
});
