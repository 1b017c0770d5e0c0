import { expect, test } from "vitest";
import { parseCommandLine } from "../../../src/cli/parse.ts";
import { commandTable } from "../../../src/cli/table.ts";

const frame = {
  configDir: undefined,
  format: "text",
  json: false,
  quiet: false,
  debug: false,
  timeoutMs: undefined,
  url: undefined,
  profile: undefined,
  token: undefined,
  insecureHttp: false,
  cacert: undefined,
  insecure: false,
};
const token = {
  ...frame,
  name: undefined,
  user: undefined,
  organization: undefined,
  role: undefined,
  scope: [],
  expires: undefined,
};
const audit = {
  ...frame,
  follow: false,
  since: undefined,
  until: undefined,
  tool: undefined,
  status: undefined,
  user: undefined,
  organization: undefined,
  project: undefined,
  session: undefined,
  client: undefined,
  limit: undefined,
  output: undefined,
};

test.each([
  ["org add acme", { ...frame, id: "acme", name: undefined }],
  ["org add acme --name Acme", { ...frame, id: "acme", name: "Acme" }],
  ["org list --deleted --json", { ...frame, deleted: true, json: true, format: "json" }],
  ["org remove acme -u http://127.0.0.1:1", { ...frame, id: "acme", url: "http://127.0.0.1:1" }],
  ["org restore acme", { ...frame, id: "acme" }],
  ["user add bob@example.com --name Bob", { ...frame, id: "bob@example.com", name: "Bob" }],
  ["user list", { ...frame, deleted: false }],
  ["user remove bob", { ...frame, id: "bob" }],
  ["user restore bob -t secret", { ...frame, id: "bob", token: "secret" }],
  ["user disable bob", { ...frame, id: "bob" }],
  ["user enable bob", { ...frame, id: "bob" }],
  ["user passwd bob --json", { ...frame, id: "bob", json: true, format: "json" }],
  ["member set bob acme editor", { ...frame, user: "bob", organization: "acme", role: "editor" }],
  [
    "member list --organization acme --user bob --deleted",
    { ...frame, organization: "acme", user: "bob", deleted: true },
  ],
  ["member remove bob acme", { ...frame, user: "bob", organization: "acme" }],
  ["member restore bob acme", { ...frame, user: "bob", organization: "acme" }],
  ["token create", token],
  [
    "token create --name ci --user bob --organization acme --role viewer --scope metrics --scope b --expires 30d",
    {
      ...token,
      name: "ci",
      user: "bob",
      organization: "acme",
      role: "viewer",
      scope: ["metrics", "b"],
      expires: "30d",
    },
  ],
  ["token list --user bob --revoked", { ...frame, user: "bob", revoked: true }],
  ["token rotate t1", { ...frame, id: "t1" }],
  ["token revoke t1", { ...frame, id: "t1" }],
  ["audit", audit],
  [
    "audit -f --since 1h --until 2026-01-01 --tool files__* --status denied --user bob --organization acme --project p --session s --client c --limit 5 --format csv -o out.csv",
    {
      ...audit,
      follow: true,
      since: "1h",
      until: "2026-01-01",
      tool: "files__*",
      status: "denied",
      user: "bob",
      organization: "acme",
      project: "p",
      session: "s",
      client: "c",
      limit: 5,
      format: "csv",
      output: "out.csv",
    },
  ],
  ["audit --format jsonl", { ...audit, format: "jsonl" }],
  ["audit --format jsonl --json", { ...audit, format: "json", json: true }],
  ["history", { ...frame, entity: undefined, id: undefined, limit: 100 }],
  [
    "history --entity server --id files --limit 5",
    { ...frame, entity: "server", id: "files", limit: 5 },
  ],
  ["mcp restore files", { ...frame, server: "files" }],
  ["admin purge --before 30d -y", { ...frame, before: "30d", yes: true }],
  ["admin purge", { ...frame, before: undefined, yes: false }],
])("%s", async (line, options) => {
  const invocation = await parseCommandLine(line.split(" "), commandTable, {});
  expect(invocation).toMatchObject({ kind: "run" });
  expect("options" in invocation && invocation.options).toEqual(options);
});

test("what the environment says of the form of results goes for every form there is", async () => {
  const variables = { ONEDOOR_FORMAT: "csv" };
  expect(await parseCommandLine(["audit"], commandTable, variables)).toMatchObject({
    options: { format: "csv" },
  });
  expect(await parseCommandLine(["history"], commandTable, variables)).toMatchObject({
    options: { format: "text" },
  });
  await expect(
    parseCommandLine(["history"], commandTable, { ONEDOOR_FORMAT: "cvs" }),
  ).rejects.toThrow("ONEDOOR_FORMAT must be text or json");
});

test.each([
  "org",
  "org ad acme",
  "org add",
  "org add a b",
  "org list acme",
  "user delete bob",
  "member set bob acme",
  "member set bob acme owner",
  "member remove bob",
  "token create ci",
  "token create --role root",
  "token rotate",
  "audit files",
  "audit --status maybe",
  "audit --format toon",
  "audit --limit many",
  "history --entity session",
  "mcp restore",
  "mcp list files",
  "mcp approve a b",
  "admin purge now",
])("%s is refused, or answered with help", async (line) => {
  const parsing = parseCommandLine(line.split(" "), commandTable, {}).then(
    ({ kind }) => kind,
    (error: { code: string }) => error.code,
  );
  expect(await parsing).toBe(line === "org" ? "help" : "usage");
});
