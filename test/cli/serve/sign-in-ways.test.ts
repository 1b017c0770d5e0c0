import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { openDirectory } from "../../../src/auth/directory.ts";
import type { PasswordHashes } from "../../../src/auth/passwords/password-hashes.ts";
import { createSignInWays } from "../../../src/cli/serve/sign-in-ways.ts";
import type { AuthConfiguration } from "../../../src/core/configuration.ts";
import { AppError } from "../../../src/core/errors.ts";
import { systemPrincipal } from "../../../src/core/principal.ts";
import { createMemoryStorage } from "../../../src/storage/memory-storage.ts";
import { aMember, anOrganization, aUser } from "../../auth/support/identities.ts";
import { silentLogger } from "../../gateway/fakes.ts";

const ada = { email: "ada@example.com", password: "ada's words" };
const client = { address: "192.0.2.1" };
const local: AuthConfiguration = { type: "local" };
const simple: AuthConfiguration = { type: "simple", users: "own" };

const takeAny = (): Promise<boolean> => Promise.resolve(true);

async function openWays() {
  const directory = await openDirectory({
    storage: createMemoryStorage(),
    now: Date.now,
    newId: randomUUID,
  });
  await directory.change(systemPrincipal, () => ({
    organizations: [anOrganization("acme")],
    users: [{ ...aUser(ada.email), password: { hash: "hash", setAtMs: 1 } }],
    members: [aMember("acme", ada.email, "editor")],
    result: undefined,
  }));
  const warnings: string[] = [];
  let verify: PasswordHashes["verify"] = takeAny;
  const ways = createSignInWays({
    directory,
    hashes: {
      verify: (...asked) => verify(...asked),
      hash: () => Promise.reject(new Error("not in this test")),
      isOutdated: () => false,
    },
    reportSession: () => undefined,
    logger: { ...silentLogger, warn: (message) => void warnings.push(message) },
  });
  const onVerify = (next: () => Promise<boolean>): void => void (verify = next);
  return { ways, directory, warnings, onVerify };
}

test.each<[string, AuthConfiguration[], string]>([
  ["taken away", [local], "not_found"],
  ["kept", [simple], "in"],
])("a sign-in under way while its way is %s", async (_what, next, outcome) => {
  const { ways, directory, onVerify } = await openWays();
  const { signIn } = ways.take([local, simple]);
  onVerify(() => {
    ways.take(next);
    return Promise.resolve(true);
  });
  const ended = await signIn?.login(ada, client).then(
    () => "in",
    (error: unknown) => (error instanceof AppError ? error.code : "?"),
  );
  expect(ended).toBe(outcome);
  expect(directory.tokens()).toHaveLength(outcome === "in" ? 1 : 0);
  await ways.close();
});

test("the log is told that turns are refused", async () => {
  const { ways, warnings, onVerify } = await openWays();
  const { signIn } = ways.take([simple]);
  onVerify(() => Promise.reject(new AppError("rate_limited", "Too many")));
  for (let count = 0; count < 3; count += 1) {
    await expect(signIn?.login(ada, client)).rejects.toMatchObject({ code: "rate_limited" });
  }
  expect(warnings).toHaveLength(1);
  await ways.close();
});
