import { expect, test } from "vitest";
import { AuthServerUnavailable } from "../../../src/auth/outside/ask-auth-server.ts";
import { createAvailabilityLog } from "../../../src/auth/outside/availability-log.ts";
import { createLines } from "./support/remote.ts";

function open() {
  const clock = { ms: 0 };
  const { lines, logger } = createLines();
  const url = "https://auth.example:8443/realm?x=y";
  const log = createAvailabilityLog({ logger, url, now: () => clock.ms });
  const fail = (reason: string, isOurFault = false): Promise<void> =>
    log
      .watch(() => Promise.reject(new AuthServerUnavailable(reason, { isOurFault })))
      .then(
        () => expect.fail("did not fail"),
        () => undefined,
      );
  return { clock, lines, log, fail };
}

test("a reason is told once in ten minutes, without path and query", async () => {
  const { clock, lines, fail } = open();
  await fail("down");
  clock.ms += 599_999;
  await fail("down");
  expect(lines).toEqual([
    {
      level: "warn",
      message: "The auth server cannot be asked: whom it would vouch for gets 503",
      fields: { authServer: "https://auth.example:8443", reason: "down" },
    },
  ]);
  clock.ms += 1;
  await fail("down");
  expect(lines).toHaveLength(2);
});

test("its end is told once, and one that comes and goes once a minute", async () => {
  const { clock, lines, log, fail } = open();
  await fail("down");
  await log.watch(() => Promise.resolve());
  await log.watch(() => Promise.resolve());
  expect(lines.map(({ level }) => level)).toEqual(["warn", "info"]);
  clock.ms += 59_999;
  await fail("down");
  await log.watch(() => Promise.resolve());
  expect(lines).toHaveLength(2);
  clock.ms += 1;
  await fail("down");
  expect(lines.map(({ level }) => level)).toEqual(["warn", "info", "warn"]);
});

test("another reason is told as well, what is ours as an error", async () => {
  const { lines, fail } = open();
  await fail("down");
  await fail("refused", true);
  await fail("down");
  expect(lines.map(({ level }) => level)).toEqual(["warn", "error"]);
});

test("what else fails is not the server's", async () => {
  const { lines, log } = open();
  await expect(log.watch(() => Promise.reject(new TypeError("bug")))).rejects.toThrow(TypeError);
  expect(lines).toEqual([]);
});
