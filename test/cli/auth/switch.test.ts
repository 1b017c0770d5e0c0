import { afterEach, beforeEach, expect, test } from "vitest";
import { createSwitch } from "../../../src/cli/commands/auth/switch.ts";
import { Bench } from "./bench.ts";

const one = "https://one.example.com";
const two = "https://two.example.com";

let bench: Bench;
beforeEach(async () => {
  bench = new Bench();
  await bench.save(one, { name: "work" });
  await bench.save(one, { name: "admin" });
  await bench.save(two, { name: "work" });
});
afterEach(() => bench.remove());

const failure = (options: object): Promise<unknown> =>
  bench.run(createSwitch(bench.dependencies), options).catch((error: unknown) => error);

test.each([
  [
    { target: "nope", url: one },
    /^There is no profile "nope" for https:\/\/one\.example\.com; there are (?:work and admin|admin and work)$/u,
    /^agent auth switch (?:work|admin) --url https:\/\/one\.example\.com$/u,
  ],
  [
    { target: "nope", url: two },
    /^There is no profile "nope" for https:\/\/two\.example\.com; there is work$/u,
    /^agent auth switch work --url https:\/\/two\.example\.com$/u,
  ],
  [
    { target: "https://three.example.com" },
    /^There is no profile for https:\/\/three\.example\.com$/u,
    /^agent auth status --all lists them$/u,
  ],
  [{ target: "robot" }, /^There is no profile "robot"$/u, /^agent auth status --all lists them$/u],
  [{}, /^Which profile is to be the default\?$/u, /^agent auth status --all lists them$/u],
  [
    { target: "work" },
    /^There is a profile "work" for each of https:\/\/\w+\.example\.com and https:\/\/\w+\.example\.com$/u,
    /^agent auth switch work --url https:\/\/(?:one|two)\.example\.com$/u,
  ],
])("%j: one command at most is in the hint", async (options, message, hint) => {
  expect(await failure(options)).toMatchObject({
    message: expect.stringMatching(message),
    hint: expect.stringMatching(hint),
  });
});

test("of many profiles only some are named", async () => {
  for (let i = 0; i < 12; i += 1) await bench.save(two, { name: `p${i}` });
  expect(await failure({ target: "nope", url: two })).toMatchObject({
    message: expect.stringMatching(/; there are (?:\w+, ){9}\w+ and 3 more$/u),
  });
});
