import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createMetrics } from "../../src/metrics/create-metrics.ts";
import { readPage } from "./exposition.ts";

const documentation = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");

/** A page on which every metric has a sample. */
function wholePage(): Promise<string> {
  const metrics = createMetrics({ version: "1.2.3", nodeVersion: "v20.1.0" });
  metrics.callEnded({
    server: "one",
    tool: "echo",
    status: "denied",
    errorCode: "forbidden",
    durationMs: 1,
  });
  metrics.requestEnded({ method: "GET", route: "/status", status: 200, durationMs: 1 });
  return metrics.text({
    upstreams: () => [{ name: "one", state: "ready" }],
    audit: { queued: 0, dropped: 0 },
    sessions: () => [{ transport: "sse", count: 1 }],
  });
}

interface Series {
  type: string;
  labels: string[];
}

/** By name. */
async function real(): Promise<Map<string, Series>> {
  const page = await wholePage();
  const samples = readPage(page);
  return new Map(
    [...page.matchAll(/^# TYPE (\S+) (\S+)$/gmu)].map(([, name = "", type = ""]) => {
      const own = samples.find(
        (sample) => sample.name === name || sample.name === `${name}_bucket`,
      );
      if (own === undefined) throw new Error(`The page has no sample of ${name}`);
      // What every histogram has is said once for all.
      const labels = Object.keys(own.labels).filter((label) => label !== "le");
      return [name, { type, labels: labels.toSorted() }];
    }),
  );
}

/** The rows of the first table under a heading, cell by cell. */
function tableUnder(heading: string): string[][] {
  const [, section = ""] = documentation.split(`\n## ${heading}\n`);
  const [ours = ""] = section.split("\n## ");
  const rows = ours.split("\n").filter((line) => line.startsWith("| "));
  return rows.slice(2).map((row) => row.split("|").slice(1, -1));
}

const quoted = (cell = ""): string[] =>
  [...cell.matchAll(/`([^`]+)`/gu)].map(([, name = ""]) => name);

describe("docs/metrics.md", () => {
  it("has every series of the page with its type and labels, and no other", async () => {
    const told = tableUnder("Series").map(([name, type = "", labels]) => [
      quoted(name).join(),
      { type: type.trim(), labels: quoted(labels).toSorted() },
    ]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(await real()));
  });

  it("bounds every label, and no other", async () => {
    const told = tableUnder("Labels and their bounds").flatMap(([label]) => quoted(label));
    const labels = [...(await real()).values()].flatMap((series) => series.labels);
    expect(told.toSorted()).toEqual([...new Set([...labels, "le"])].toSorted());
  });

  it("names nothing else that could be a series", async () => {
    const names = new Set((await real()).keys());
    const named = documentation.match(
      /\b(?:onedoor|mcp_server|http_server|process|nodejs)_\w+_\w+/gu,
    );
    const labels = new Set(["nodejs_eventloop_state"]);
    const unknown = named?.filter(
      (name) => !names.has(name.replace(/_(?:bucket|sum|count)$/u, "")) && !labels.has(name),
    );
    expect(unknown).toEqual([]);
  });
});
