import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { createInspect } from "../../../src/cli/commands/inspect.ts";
import type { ServerSource } from "../../../src/cli/calling/open-server.ts";
import { CredentialRefused } from "../../../src/client/credential-refused.ts";
import { AppError } from "../../../src/core/errors.ts";
import { InsufficientScope } from "../../../src/core/insufficient-scope.ts";
import type { Profile } from "../../../src/profiles/profile.ts";
import { parseServerUrl } from "../../../src/core/url.ts";
import { Bench } from "./bench.ts";

const refusal = (): AppError =>
  new CredentialRefused("auth_rejected", "No", {
    endpoint: "http://127.0.0.1:3050/mcp",
    challenge: undefined,
  });

const begun = (): AppError => new AppError("auth_rejected", "the upstream's token is none");
const gives =
  (token: string): ServerSource["renewRefused"] =>
  () =>
    Promise.resolve({ token, source: "profile" });

/** A server that refuses everything but `good`, each time with what `failure` makes. */
function sourceOf(bench: Bench, failure: () => Error, more: Partial<ServerSource>): ServerSource {
  return {
    ...bench.source,
    bearerFor: () => Promise.resolve({ token: "old", source: "profile" }),
    connect: (options) => {
      bench.connected.push(options);
      return options.bearer === "good" ? Promise.resolve(bench.server) : Promise.reject(failure());
    },
    ...more,
  };
}
const inspect = (bench: Bench, source: ServerSource): Promise<unknown> =>
  bench.run(createInspect(source), { all: false });
const bearers = (bench: Bench): unknown[] => bench.connected.map(({ bearer }) => bearer);

test("a token that is refused is renewed, and all of it asked once more", async () => {
  const bench = new Bench();
  await inspect(bench, sourceOf(bench, refusal, { renewRefused: gives("good") }));
  expect(bearers(bench)).toEqual(["old", "good"]);
});

test("twice and no more where the new one is refused as well", async () => {
  const bench = new Bench();
  const source = sourceOf(bench, refusal, { renewRefused: gives("also-old") });
  await expect(inspect(bench, source)).rejects.toMatchObject({ code: "auth_rejected" });
  expect(bearers(bench)).toEqual(["old", "also-old"]);
});

test("what may have begun is not asked again, whatever it fails with", async () => {
  const bench = new Bench();
  const source = sourceOf(bench, begun, { renewRefused: gives("good") });
  await expect(inspect(bench, source)).rejects.toMatchObject({ code: "auth_rejected" });
  expect(bearers(bench)).toEqual(["old"]);
});

test("why it could not be renewed is what is told", async () => {
  const bench = new Bench();
  const away = new AppError("unreachable", "Cannot reach the authorization server");
  const source = sourceOf(bench, refusal, { renewRefused: () => Promise.reject(away) });
  await expect(inspect(bench, source)).rejects.toMatchObject({ code: "unreachable" });
});

const { canonical, endpoint } = parseServerUrl("http://127.0.0.1:3050");
const profile: Profile = {
  url: canonical,
  name: "work",
  endpoint,
  source: "web",
  store: "file",
  createdAtMs: 0,
};
const narrow = (): AppError => new InsufficientScope("More scopes", { scopes: ["b"] });
const stepUp = {
  scope: "a b",
  added: "b",
  hint: "the whole command",
  login: { web: true, scope: "a b", issuer: "https://id.example.com" },
};

function narrowSource(bench: Bench, signIn: ServerSource["signIn"]): ServerSource {
  return sourceOf(bench, narrow, {
    chooseServer: async (options, context) => ({
      ...(await bench.source.chooseServer(options, context)),
      profile,
    }),
    stepUp: () => Promise.resolve(stepUp),
    signIn,
  });
}

test("more scopes, where nobody can be asked: the whole command, and no second request", async () => {
  const bench = new Bench();
  const source = narrowSource(bench, () => Promise.reject(new Error("nobody was asked")));
  await expect(inspect(bench, source)).rejects.toMatchObject({
    code: "forbidden",
    scopes: ["b"],
    hint: "the whole command",
  });
  expect(bearers(bench)).toEqual(["old"]);
});

test("more scopes, on a terminal: signs in with them and those there are, once", async () => {
  const bench = new Bench();
  bench.terminal = true;
  const stdin = new PassThrough();
  stdin.write("\n");
  bench.stdin = stdin;
  const asked: unknown[] = [];
  const source = narrowSource(bench, (options, _context, more) => {
    asked.push([options.profile, more]);
    return Promise.resolve();
  });
  // It goes on to want more: nobody is asked a second time.
  await expect(inspect(bench, source)).rejects.toMatchObject({ code: "forbidden" });
  expect(asked).toEqual([["work", stepUp.login]]);
  expect(bench.notes).toEqual([
    "http://127.0.0.1:3050 wants more scopes for this. Sign in once more, for b too? [Y/n]",
  ]);
  expect(bearers(bench)).toEqual(["old", "old"]);
});

test("more scopes that another issuer would give: the plain login is what is left", async () => {
  const bench = new Bench();
  bench.terminal = true;
  const stdin = new PassThrough();
  stdin.write("\n");
  bench.stdin = stdin;
  const moved = new AppError("auth_rejected", "It sends to another issuer; nothing saved");
  const source = narrowSource(bench, () => Promise.reject(moved));
  await expect(inspect(bench, source)).rejects.toMatchObject({
    code: "auth_rejected",
    message: moved.message,
    hint: "agent auth login --url http://127.0.0.1:3050 --profile work",
  });
});

test("a sign-in, and then more scopes: both are offered, once each", async () => {
  const bench = new Bench();
  bench.terminal = true;
  const stdin = new PassThrough();
  stdin.write("\n");
  bench.stdin = stdin;
  const failures = [refusal(), narrow(), narrow()];
  const asked: unknown[] = [];
  const source = {
    ...narrowSource(bench, (_options, _context, more) => {
      asked.push(more);
      stdin.write("\n");
      return Promise.resolve();
    }),
    connect: () => Promise.reject(failures.shift() ?? new Error("asked too often")),
  };
  await expect(inspect(bench, source)).rejects.toMatchObject({
    code: "forbidden",
    hint: "the whole command",
  });
  expect(asked).toEqual([undefined, stepUp.login]);
});

test("what outlives several tokens shows each of them", async () => {
  const bench = new Bench();
  const others = ["second", "third", "good"];
  const source = sourceOf(bench, refusal, {
    renewRefused: () => Promise.resolve({ token: others.shift(), source: "profile" }),
  });
  await inspect(bench, source);
  expect(bearers(bench)).toEqual(["old", "second", "third", "good"]);
});
