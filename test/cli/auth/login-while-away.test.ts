import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Bench, runtimeRecord } from "./bench.ts";
import { loginOn } from "./support/login-on.ts";

const { url } = runtimeRecord;

let bench: Bench;
beforeEach(async () => {
  bench = new Bench();
  // A stranger in the place of a gateway that does not run.
  bench.doors[url] = { tokens: { "token-of-mine": "mallory" } };
  await bench.save(url, { source: "local", instanceId: runtimeRecord.instanceId });
});
afterEach(() => bench.remove());

describe("while one's own gateway does not run, who listens in its place", () => {
  test("is shown no token from a pipe, and not asked anything", async () => {
    bench.pipe("token-of-mine\n");
    await expect(loginOn(bench, {})).rejects.toMatchObject({
      code: "unreachable",
      message: `Your gateway at ${url} is not running`,
      hint: "agent serve --background",
    });
    expect(bench.seen).toEqual([]);
  });

  test("is none that --token or ONEDOOR_TOKEN means, where nobody named it", async () => {
    bench.variables = { ONEDOOR_TOKEN: "of-elsewhere" };
    await expect(loginOn(bench, { token: "token-of-mine" })).rejects.toMatchObject({
      code: "unreachable",
    });
    expect(bench.seen).toEqual([]);
  });

  test("is what --url names, for another profile as well; that it is another is said", async () => {
    await loginOn(bench, { url, profile: "second", token: "token-of-mine" });
    expect(bench.notes).toContain(
      `Your own gateway, which profile default is for, does not run at ${url} now: another program may answer there`,
    );
    expect((await bench.saved()).map(({ name }) => name)).toContain("second");
  });
});

test("while it runs nothing of that is said", async () => {
  bench.runGateway();
  await loginOn(bench, { url, local: true });
  expect(bench.notes.join()).not.toContain("does not run");
});
