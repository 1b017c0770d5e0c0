import { expect, test } from "vitest";
import { authenticationTypes } from "../../src/core/principal.ts";
import { useConfigurationFolder } from "./support/configuration-folder.ts";

const { load, problem } = useConfigurationFolder();

test.each<[written: object, message: string, hint: string | undefined]>([
  [
    { tls: { crt: "a.pem", key: "b.pem" } },
    "FILE:3: tls.crt: unknown key; did you mean cert?",
    "1 more problem in this file",
  ],
  [
    { tls: { public: "a.pem" } },
    "FILE:3: tls.public: unknown key; known are cert, key",
    "2 more problems in this file",
  ],
  [
    { auth: { type: "jwt", options: { audience: "b", isuer: "a" } } },
    "FILE:6: auth.options.isuer: unknown key; did you mean issuer?",
    "1 more problem in this file",
  ],
  [
    { auth: { type: "jwt", optons: { audience: "b", issuer: "a" } } },
    "FILE:4: auth.optons: unknown key; did you mean options?",
    "1 more problem in this file",
  ],
  [
    { auth: [{ tpe: "local" }] },
    "FILE:4: auth[0].tpe: unknown key; did you mean type?",
    "1 more problem in this file",
  ],
  [
    { tls: { crt: "a.pem" }, port: -1 },
    "FILE:3: tls.crt: unknown key; did you mean cert?",
    "3 more problems in this file",
  ],
  // What is missing for itself stays at its line.
  [
    { tls: {}, prt: 1 },
    "FILE:2: tls.cert: is missing (expected a string)",
    "2 more problems in this file",
  ],
])("%j: a misspelt key comes before what it leaves out", async (written, message, hint) => {
  expect(await problem(written)).toEqual([message, hint]);
});

test.each(["url", "anonKey"])(
  "bearer with %s and introspectionUrl needs one of them",
  async (key) => {
    const options = { [key]: "https://demo.supabase.co", introspectionUrl: "https://id.example/i" };
    expect(await problem({ auth: { type: "bearer", options } })).toEqual([
      `FILE:5: auth.options.${key}: stands beside introspectionUrl; write one of them`,
      undefined,
    ]);
  },
);

test("a type alone is told how an entry is written", async () => {
  expect(await problem({ auth: "local" })).toEqual([
    "FILE:2: auth: expected an entry or a list of them",
    'write {"type": "local"}',
  ]);
  expect(await problem({ auth: ["simple", { type: "local" }] })).toEqual([
    "FILE:3: auth[0]: expected an object",
    'write {"type": "simple"}',
  ]);
  expect(await problem({ auth: "jwt" })).toEqual([
    "FILE:2: auth: expected an entry or a list of them",
    'write {"type": "jwt", "options": {"issuer": "https://…", "audience": "…"}}',
  ]);
  // It may be a secret in the wrong place.
  expect(await problem({ auth: "s3cret" })).toEqual([
    "FILE:2: auth: expected an entry or a list of them",
    undefined,
  ]);
});

test.each(authenticationTypes.filter((type) => type === "local" || type === "simple"))(
  "and what the hint for %s says is taken",
  async (type) => {
    const [, hint = ""] = await problem({ auth: type });
    await expect(load(`{"auth": ${hint.replace("write ", "")}}`)).resolves.toBeDefined();
  },
);

test("--auth none --host 0.0.0.0 is told of none, and what to do holds", async () => {
  for (const insecureHttp of [false, true]) {
    const overrides = { auth: "none", host: "0.0.0.0", insecureHttp };
    expect(await problem({}, { overrides })).toEqual([
      '--auth: "none" is only for a loopback host',
      'listen on 127.0.0.1, or take "local" or another type, with tls or an https externalUrl',
    ]);
  }
  await load({}, { overrides: { auth: "none", host: "127.0.0.1" } });
  const externalUrl = "https://gate.example.com";
  await load({}, { overrides: { auth: "local", host: "0.0.0.0", externalUrl } });
});
