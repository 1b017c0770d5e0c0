import { afterEach, beforeEach, expect, test } from "vitest";
import type { AppError } from "../../../src/core/errors.ts";
import { statusOn } from "./support/status-on.ts";
import type { StatusFlags } from "./support/status-on.ts";
import { Bench } from "./bench.ts";

const url = "https://gw.example.com";
const long = "od_0123456789abcdefghij";
let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.remove());

/** What the command failed with beside its answer. */
let failure: AppError | undefined;

async function status(flags: StatusFlags = {}): Promise<number | void> {
  const shown = await statusOn(bench, flags);
  failure = shown.failure;
  return shown.code;
}

const shownRows = (): unknown => JSON.parse(bench.stdout);

test("missing: a server that wants a sign-in and has no profile", async () => {
  bench.doors[url] = {};
  expect(await status({ url, json: true })).toBe(4);
  expect(JSON.parse(bench.stdout)).toMatchObject([
    { url, result: "missing", maskedToken: null, name: null, source: null },
  ]);
  expect(failure?.message).toBe(`Not signed in to ${url}`);
  expect(await status({ url })).toBe(4);
  expect(bench.notes).toEqual([`Not signed in to ${url}`, `hint: agent auth login --url ${url}`]);
  expect(await status({ url, profile: "nope", json: true })).toBe(4);
  expect(failure?.message).toBe(`There is no profile "nope" for ${url}`);
});

test("an empty ONEDOOR_TOKEN is asked about, at a server that wants one", async () => {
  bench.doors[url] = {};
  bench.variables = { ONEDOOR_TOKEN: "" };
  expect(await status({ url, json: true })).toBe(4);
  expect(failure?.hint).toBe("ONEDOOR_TOKEN is empty: was the secret handed to this job?");
});

test("ONEDOOR_TOKEN without a profile wins over nothing", async () => {
  bench.doors[url] = {};
  bench.variables = { ONEDOOR_TOKEN: long };
  expect(await status({ url })).toBe(4);
  expect(bench.notes).toEqual([
    `Token rejected by ${url}`,
    `hint: Check ONEDOOR_TOKEN: it must be a token of ${url} that has not expired`,
  ]);
});

test("ONEDOOR_TOKEN, and nothing that says for where: 2, as with every command", async () => {
  bench.variables = { ONEDOOR_TOKEN: long };
  expect(await status()).toBe(2);
  expect(failure?.message).toBe("ONEDOOR_TOKEN is set, but no server is named");
});

test("--all heeds no ONEDOOR_PROFILE, and --profile", async () => {
  bench.doors[url] = { tokens: { [long]: "alice" } };
  await bench.save(url, {}, long);
  await bench.save(url, { name: "work" }, long);
  bench.variables = { ONEDOOR_PROFILE: "nope" };
  expect(await status({ all: true, json: true })).toBe(0);
  expect(shownRows()).toHaveLength(2);
  bench.stdout = "";
  await status({ all: true, profile: "work", json: true });
  expect(shownRows()).toMatchObject([{ name: "work" }]);
  expect(await status({ all: true, profile: "nope" })).toBe(4);
  expect(failure?.message).toBe('There is no profile "nope"');
  expect(await status({ all: true, profile: "a b" })).toBe(2);
});
