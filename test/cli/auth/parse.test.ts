import { expect, test } from "vitest";
import { parseCommandLine } from "../../../src/cli/parse.ts";
import { commandTable } from "../../../src/cli/table.ts";

const global = {
  configDir: undefined,
  format: "text",
  json: false,
  quiet: false,
  debug: false,
  timeoutMs: undefined,
};
const frame = {
  ...global,
  url: undefined,
  profile: undefined,
  token: undefined,
  insecureHttp: false,
  cacert: undefined,
  insecure: false,
};
const named = { ...global, url: undefined, profile: undefined };
const login = {
  ...frame,
  local: false,
  web: false,
  device: false,
  email: undefined,
  organization: undefined,
  clientCredentials: false,
  clientId: undefined,
  clientSecretFile: undefined,
  clientKey: undefined,
  scope: undefined,
  issuer: undefined,
  callbackPort: undefined,
  store: undefined,
  stdinTimeout: 60,
  noVerify: false,
};

/** None of the server's environment twins is filled in: who wins is the command's decision. */
const variables = {
  ONEDOOR_URL: "https://env.example.com",
  ONEDOOR_TOKEN: "of-the-environment",
  ONEDOOR_PROFILE: "of-the-environment",
};

test.each([
  ["auth login", login],
  [
    "auth login -u http://127.0.0.1:3050 --profile work --store file --stdin-timeout 1.5 --no-verify --insecure-http",
    {
      ...login,
      url: "http://127.0.0.1:3050",
      profile: "work",
      store: "file",
      stdinTimeout: 1.5,
      noVerify: true,
      insecureHttp: true,
    },
  ],
  ["auth login -t secret", { ...login, token: "secret" }],
  ["auth login --token=secret --json", { ...login, token: "secret", json: true, format: "json" }],
  ["auth login --local --timeout 2", { ...login, local: true, timeoutMs: 2000 }],
  [
    "auth login --web --scope read --callback-port 8123 --client-id mine --client-secret-file s",
    {
      ...login,
      web: true,
      scope: "read",
      callbackPort: 8123,
      clientId: "mine",
      clientSecretFile: "s",
    },
  ],
  ["auth login --device", { ...login, device: true }],
  [
    "auth login --email ann@example.com --organization acme",
    { ...login, email: "ann@example.com", organization: "acme" },
  ],
  [
    "auth login --client-credentials --client-id ci --client-key key.pem --issuer https://id.example.com",
    {
      ...login,
      clientCredentials: true,
      clientId: "ci",
      clientKey: "key.pem",
      issuer: "https://id.example.com",
    },
  ],
  ["auth refresh --url https://gw.example.com", { ...frame, url: "https://gw.example.com" }],
  ["auth status", { ...frame, all: false }],
  ["auth status --all --quiet", { ...frame, all: true, quiet: true }],
  [
    "auth logout --all",
    { ...named, insecureHttp: false, cacert: undefined, insecure: false, all: true },
  ],
  ["auth token --header -d /tmp/x", { ...frame, header: true, configDir: "/tmp/x" }],
  ["auth whoami --format json", { ...frame, format: "json" }],
  ["auth switch work", { ...named, target: "work" }],
  ["auth switch --profile work", { ...named, target: undefined, profile: "work" }],
])("%s", async (line, options) => {
  const invocation = await parseCommandLine(line.split(" "), commandTable, variables);
  expect(invocation).toMatchObject({ kind: "run" });
  expect("options" in invocation && invocation.options).toEqual(options);
});

test("ONEDOOR_STORE is the twin of --store", async () => {
  const stored = { ...variables, ONEDOOR_STORE: "file" };
  const invocation = await parseCommandLine(["auth", "login"], commandTable, stored);
  expect(invocation).toMatchObject({ options: { store: "file" } });
});

test.each([
  "auth login --store vault",
  "auth login --token",
  "auth login --callback-port",
  "auth login --callback-port near",
  "auth login --email",
  "auth login extra",
  "auth status --local",
  "auth logn",
])("%s is refused", async (line) => {
  const parsing = parseCommandLine(line.split(" "), commandTable, variables);
  await expect(parsing).rejects.toMatchObject({ code: "usage" });
});

test.each(["auth logout --token secret", "auth switch work --token=secret"])(
  "%s: a token has no part in it",
  async (line) => {
    await expect(parseCommandLine(line.split(" "), commandTable, {})).rejects.toMatchObject({
      code: "usage",
      message: "Unknown option: --token",
    });
  },
);
