import { expect, test } from "vitest";
import { createInspect } from "../../../src/cli/commands/inspect.ts";
import type { Bearer } from "../../../src/cli/bearer.ts";
import { CredentialRefused } from "../../../src/client/credential-refused.ts";
import { AppError } from "../../../src/core/errors.ts";
import { parseServerUrl } from "../../../src/core/url.ts";
import type { Profile } from "../../../src/profiles/profile.ts";
import { Bench } from "./bench.ts";

const profile: Profile = {
  url: parseServerUrl("http://127.0.0.1:3050").canonical,
  name: "default",
  endpoint: "http://127.0.0.1:3050/",
  source: "option",
  store: "file",
  createdAtMs: 0,
};

test.each<[Bearer["source"], Profile | undefined, string]>([
  ["profile", profile, "agent auth login"],
  ["environment", profile, "unset ONEDOOR_TOKEN, which wins over the saved profile"],
  [
    "environment",
    undefined,
    "Check ONEDOOR_TOKEN: it must be a token of http://127.0.0.1:3050 that has not expired",
  ],
  ["option", undefined, "Check the token given with --token"],
])("a refused token from %s, saved %j: the hint changes that token", async (from, saved, hint) => {
  const bench = new Bench();
  const source: typeof bench.source = {
    ...bench.source,
    chooseServer: async (...how) => ({
      ...(await bench.source.chooseServer(...how)),
      profile: saved,
    }),
    bearerFor: () => Promise.resolve({ token: "od_wrong", source: from }),
    connect: () => Promise.reject(new AppError("auth_rejected", "No", { hint: "rm -rf ~" })),
  };
  await expect(bench.run(createInspect(source), { all: false })).rejects.toMatchObject({
    code: "auth_rejected",
    hint,
  });
});

test("who shows nothing is told one thing, whatever the server calls it", async () => {
  const bench = new Bench();
  const refused = new CredentialRefused("auth_required", "This needs a sign-in", {
    endpoint: "http://127.0.0.1:3050/status",
    challenge: undefined,
  });
  const source: typeof bench.source = {
    ...bench.source,
    bearerFor: () => Promise.resolve({ source: "none" }),
    connect: () => Promise.reject(refused),
  };
  await expect(bench.run(createInspect(source), { all: false })).rejects.toMatchObject({
    code: "auth_required",
    message: "Not signed in to http://127.0.0.1:3050",
    hint: "agent auth login",
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
