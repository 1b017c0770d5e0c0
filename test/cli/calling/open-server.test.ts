import { expect, test } from "vitest";
import { createInspect } from "../../../src/cli/commands/inspect.ts";
import type { Bearer } from "../../../src/cli/profile-bearer.ts";
import { AppError } from "../../../src/core/errors.ts";
import { Bench } from "./bench.ts";

test.each<[Bearer["source"], string]>([
  ["profile", "agent auth login"],
  ["environment", "unset ONEDOOR_TOKEN, which wins over the saved profile"],
  ["option", "Check the token given with --token"],
])("a refused token from %s: the hint changes that token", async (from, hint) => {
  const bench = new Bench();
  const source: typeof bench.source = {
    ...bench.source,
    bearerFor: () => Promise.resolve({ token: "od_wrong", source: from }),
    connect: () => Promise.reject(new AppError("auth_rejected", "No", { hint: "rm -rf ~" })),
  };
  await expect(bench.run(createInspect(source), { all: false })).rejects.toMatchObject({
    code: "auth_rejected",
    hint,
  });
});

test("a tool's page repeats --config-dir, unless it came from the environment", async () => {
  const bench = new Bench();
  const options = { target: "everything/echo", all: false, configDir: "/a b" };
  await bench.run(createInspect(bench.source), options);
  expect(bench.stdout).toContain("agent run -d '/a b' everything/echo");
  bench.stdout = "";
  bench.variables = { ONEDOOR_CONFIG_DIR: "/a b" };
  await bench.run(createInspect(bench.source), options);
  expect(bench.stdout).toContain("agent run everything/echo");
});
