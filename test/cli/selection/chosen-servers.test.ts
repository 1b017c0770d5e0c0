import { describe, expect, it } from "vitest";
import { sameSelection } from "../../../src/cli/same-server.ts";
import {
  chosenServers,
  saidChoice,
  saidNothingLeft,
} from "../../../src/cli/selection/chosen-servers.ts";

const file = "/home/ada/shop/.onedoorrc";

describe("chosenServers", () => {
  it("takes the options, and then nothing of the project", async () => {
    const options = { tags: ["web, db", "web"], filter: "not slow" };
    expect(await chosenServers(options, { preset: "dev", file })).toEqual({
      request: { preset: undefined, tags: ["web", "db"], filter: "not slow" },
      origin: "options",
    });
  });

  it("takes what the project says, where the command line says nothing", async () => {
    const project = { preset: "dev", tags: ["a"], filter: "not b", file };
    expect(await chosenServers({ tags: [] }, project)).toEqual({
      request: { preset: "dev", tags: ["a"], filter: "not b" },
      origin: { file },
    });
    expect(await chosenServers({}, { project: "shop", tags: [], file })).toBe(undefined);
    expect(await chosenServers({}, {})).toBe(undefined);
  });

  it("takes all where that is said, and not beside a choice", async () => {
    expect(await chosenServers({ allServers: true }, { preset: "dev", file })).toBe(undefined);
    await expect(chosenServers({ allServers: true, preset: "dev" }, {})).rejects.toMatchObject({
      code: "usage",
    });
  });

  it.each(["a,,b", ",", "a,"])("refuses --tags %j", async (tags) => {
    await expect(chosenServers({ tags: [tags] }, {})).rejects.toMatchObject({ code: "usage" });
  });

  it("marks the place where a filter is wrong", async () => {
    await expect(chosenServers({ filter: "web and (beta" }, {})).rejects.toMatchObject({
      code: "usage",
      message: "The filter is wrong at character 14: a closing bracket is missing here",
      hint: [
        "A filter reads like this: web and not (beta or slow)",
        "  web and (beta",
        "               ^",
      ].join("\n"),
    });
  });

  it("shows of a long one what is around, and no control characters", async () => {
    const filter = `${"a or ".repeat(30)}\u001b or or b${" or c".repeat(20)}`;
    const error: unknown = await chosenServers({ filter }, {}).catch((thrown: unknown) => thrown);
    const hint = error instanceof Error && "hint" in error ? String(error.hint) : "";
    const [, line = "", caret = ""] = hint.split("\n");
    expect(hint).not.toContain("\u001b");
    expect(line.startsWith("  …")).toBe(true);
    expect(line.endsWith("…")).toBe(true);
    expect(line.slice(caret.length - 1)).toMatch(/^or b/u);
  });
});

it("says a choice, and how to say it again", () => {
  const options = { preset: "my dev", tags: ["a,b", "c"], filter: "a or b" };
  expect(saidChoice({ ...options, tags: ["a", "b", "c"] })).toBe(
    "preset 'my dev', tags a,b,c, filter 'a or b'",
  );
  expect(sameSelection(options)).toBe(" --preset 'my dev' --tags a,b,c --filter 'a or b'");
  expect(sameSelection({ allServers: true })).toBe(" --all-servers");
  expect(sameSelection({})).toBe("");
});

it("says how to see all, where the choice left nothing", () => {
  const request = { preset: "dev" };
  expect(saidNothingLeft({ request, origin: "options" }, "agent inspect")).toBe(
    "No server is chosen by preset dev; all of them: agent inspect",
  );
  expect(saidNothingLeft({ request, origin: { file } }, "agent inspect")).toBe(
    `No server is chosen by preset dev (${file}); all of them: agent inspect --all-servers`,
  );
});
