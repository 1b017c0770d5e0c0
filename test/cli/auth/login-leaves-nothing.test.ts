import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { signInAgain } from "../../../src/cli/commands/auth/login.ts";
import { AppError } from "../../../src/core/errors.ts";
import { targetOf } from "../sign-in/web/support/target-of.ts";
import { Bench, runtimeRecord } from "./bench.ts";
import { loginOn, sitAt } from "./support/login-on.ts";
import type { LoginFlags } from "./support/login-on.ts";

const url = "https://mcp.example.com";
const target = targetOf("https://id.example.com");

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
  bench.doors[url] = { kind: "mcp", ways: ["oauth"] };
  bench.dependencies.waysIn.find = () => Promise.resolve(target);
});
afterEach(() => bench.remove());

const login = (flags: LoginFlags = {}): Promise<unknown> =>
  loginOn(bench, { url, ...flags }).catch((error: unknown) => error);

const ended = (): unknown[] => bench.seen.filter(({ what }) => what === "revoke");

const sit = (): void => sitAt(bench);

describe("a minted token that is not kept is ended at its minter", () => {
  beforeEach(() => {
    bench.runGateway();
  });

  test("where it cannot be saved", async () => {
    mkdirSync(bench.context.directories.config, { recursive: true });
    writeFileSync(join(bench.context.directories.config, "secrets"), "in the way");
    expect(await login({ url: undefined, local: true, store: "file" })).toBeInstanceOf(Error);
    expect(ended()).toEqual([
      { what: "revoke", endpoint: runtimeRecord.url, token: "od_minted_1" },
    ]);
    expect(await bench.saved()).toEqual([]);
  });

  test("where the server turns out to need none", async () => {
    const { probeAuthentication } = bench.dependencies;
    bench.dependencies.probeAuthentication = async (endpoint, bearer, ...more) =>
      bearer === undefined
        ? probeAuthentication(endpoint, bearer, ...more)
        : { kind: "open", server: "onedoor" };
    await login({ url: undefined, local: true });
    expect(bench.stdout).toContain("needs no sign-in; nothing was saved");
    expect(ended()).toEqual([
      { what: "revoke", endpoint: runtimeRecord.url, token: "od_minted_1" },
    ]);
  });

  test("and one that is kept is not", async () => {
    await login({ url: undefined, local: true });
    expect(ended()).toEqual([]);
    // What `auth status` says of it as well.
    expect(bench.stdout).toContain(", renewed by itself");
  });
});

const refused = (): Promise<never> =>
  Promise.reject(
    new AppError("auth_rejected", "id.example.com refused the sign-in: access_denied"),
  );

describe("a sign-in that fails says that nothing is saved", () => {
  beforeEach(() => {
    Object.assign(bench.dependencies.waysIn, {
      web: refused,
      device: refused,
      clientCredentials: refused,
      password: refused,
    });
  });

  test.each([{ web: true }, { device: true }, { clientCredentials: true, clientId: "ci" }])(
    "%j",
    async (way) => {
      const clientSecretFile = join(bench.folder, "client-secret");
      writeFileSync(clientSecretFile, "the-client-secret\n");
      const flags = "clientId" in way ? { ...way, clientSecretFile } : way;
      const message = "id.example.com refused the sign-in: access_denied; nothing saved";
      expect(await login(flags)).toMatchObject({ code: "auth_rejected", message });
      await bench.save(url, {}, "earlier");
      expect(await login(flags)).toMatchObject({
        message: `${message}, the earlier profile is unchanged`,
      });
    },
  );

  test("with a password", async () => {
    bench.doors[url] = { ways: ["simple"] };
    expect(await login({ email: "ann@example.com" })).toMatchObject({
      message: expect.stringMatching(/access_denied; nothing saved$/u),
    });
  });

  test("but for what is wrong with the command line", async () => {
    bench.dependencies.waysIn.web = () => Promise.reject(new AppError("usage", "Port 1 is taken"));
    expect(await login({ web: true })).toMatchObject({ message: "Port 1 is taken" });
  });

  test.each([{ web: true }, { device: true }, { email: "ann@example.com" }])(
    "%j at a dead server: no hint at --no-verify, which it would refuse",
    async (flags) => {
      bench.doors[url] = { down: true };
      expect(await login(flags)).toMatchObject({
        code: "unreachable",
        hint: expect.not.stringContaining("--no-verify"),
      });
    },
  );
});

test("a blank line in stdin has a hint", async () => {
  bench.pipe("\nod_token\n");
  expect(await login()).toMatchObject({
    code: "usage",
    message: "The token from stdin is empty",
    hint: expect.stringContaining("first line"),
  });
});

test("a locked keychain is met before anybody is asked", async () => {
  const asked: string[] = [];
  bench.dependencies.waysIn.web = () => {
    asked.push("web");
    return Promise.reject(new Error("asked"));
  };
  const profiles = bench.dependencies.openProfiles(bench.context);
  bench.dependencies.openProfiles = () => ({
    ...profiles,
    storeFor: () => Promise.reject(new AppError("store_unavailable", "Keychain is locked")),
  });
  expect(await login({ web: true })).toMatchObject({ code: "store_unavailable" });
  expect(asked).toEqual([]);
});

test.each([
  [{}, `agent auth login --url ${url} --store file`],
  [
    { profile: "work", cacert: "ca.pem" },
    `agent auth login --url ${url} --profile work --cacert ca.pem --store file`,
  ],
])("no keychain, though asked for: the whole command for a file, with %j", async (flags, hint) => {
  expect(await login({ ...flags, token: "od_x", store: "keychain" })).toMatchObject({
    code: "store_unavailable",
    message: expect.stringMatching(/^There is no keychain here/u),
    hint,
  });
});

test("a token that is refused: an earlier profile is spoken of where there is one", async () => {
  expect(await login({ token: "od_x" })).toMatchObject({
    message: `Token rejected by ${url}; nothing saved`,
  });
  await bench.save(url);
  expect(await login({ token: "od_x" })).toMatchObject({
    message: `Token rejected by ${url}; nothing saved, the earlier profile is unchanged`,
  });
});

test.each([
  { web: true, device: true },
  { clientKey: "key.pem" },
  { clientSecretFile: "secret" },
  { clientId: "ci", clientKey: "key.pem", clientSecretFile: "secret" },
  { token: "od_x", clientId: "ci" },
  { web: true, organization: "acme" },
  { web: true, scope: "a  b" },
  { device: true, callbackPort: 4000 },
  { web: true, noVerify: true },
  { stdinTimeout: 0 },
])("what is wrong with %j is in the help", async (flags) => {
  expect(await login(flags)).toMatchObject({ code: "usage", hint: "agent auth login --help" });
});

test("with CI set --web is refused on a terminal too", async () => {
  sit();
  bench.variables = { CI: "1" };
  expect(await login({ web: true })).toMatchObject({ code: "usage" });
});

test("who accepted the offer to sign in is not asked again whether it is to be the browser", async () => {
  sit();
  const asked: boolean[] = [];
  bench.dependencies.waysIn.web = (_target, { ask }) => {
    asked.push(ask);
    return Promise.reject(new AppError("auth_rejected", "no"));
  };
  await login();
  await signInAgain(
    { format: "text", json: false, quiet: false, debug: false, insecureHttp: false, url },
    bench.context,
    {},
    bench.dependencies,
  ).catch(() => undefined);
  expect(asked).toEqual([true, false]);
});
