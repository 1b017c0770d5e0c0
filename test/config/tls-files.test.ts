import { execFileSync } from "node:child_process";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeCertificate } from "../fixtures/make-certificate.ts";
import type { MadeCertificate } from "../fixtures/make-certificate.ts";
import { useConfigurationFolder } from "./support/configuration-folder.ts";

const { paths, load, problem } = useConfigurationFolder();

let own: MadeCertificate;
let other: MadeCertificate;
beforeAll(() => {
  own = makeCertificate();
  other = makeCertificate();
});
afterAll(() => {
  for (const { certFile } of [own, other]) rmSync(dirname(certFile), { recursive: true });
});
beforeEach(() => {
  writeFileSync(join(paths.folder, "own.pem"), own.cert);
  writeFileSync(join(paths.folder, "other.pem"), other.cert);
  writeFileSync(join(paths.folder, "own.key"), own.key, { mode: 0o600 });
  writeFileSync(join(paths.folder, "other.key"), other.key, { mode: 0o600 });
});

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: "pipe" });
}

const tls = { cert: "own.pem", key: "own.key" };
const day = 24 * 60 * 60 * 1000;

test("paths start at the configuration file", async () => {
  const absolute = {
    certFile: join(paths.folder, "own.pem"),
    keyFile: join(paths.folder, "own.key"),
  };
  expect((await load({ tls })).tls).toEqual(absolute);
  const written = { cert: absolute.certFile, key: absolute.keyFile };
  expect((await load({ tls: written })).tls).toEqual(absolute);
  expect((await load({})).tls).toBeUndefined();
});

test("a chain of certificates begins with the gateway's own", async () => {
  writeFileSync(join(paths.folder, "chain.pem"), own.cert + other.cert);
  await expect(load({ tls: { ...tls, cert: "chain.pem" } })).resolves.toBeDefined();
  writeFileSync(join(paths.folder, "chain.pem"), other.cert + own.cert);
  expect(await problem({ tls: { ...tls, cert: "chain.pem" } })).toEqual([
    "FILE:4: tls.key: does not belong to the certificate in cert",
    "the file must begin with the gateway's own certificate, then those above it",
  ]);
});

describe("refused is", () => {
  test.each<[what: string, tls: unknown, message: string]>([
    ["no object", "own.pem", "FILE:2: tls: expected an object"],
    ["no key", { cert: "own.pem" }, "FILE:2: tls.key: is missing (expected a string)"],
    ["a misspelt key", { ...tls, keys: "x" }, "FILE:5: tls.keys: unknown key; did you mean key?"],
    ["an empty path", { ...tls, cert: "" }, "FILE:3: tls.cert: must not be empty"],
    ["no file", { ...tls, cert: "gone.pem" }, "FILE:3: tls.cert: there is no such file"],
    ["no key file", { ...tls, key: "gone.key" }, "FILE:4: tls.key: there is no such file"],
    ["a folder", { ...tls, cert: "." }, "FILE:3: tls.cert: is not a regular file"],
    [
      "what is no certificate",
      { ...tls, cert: "own.key" },
      "FILE:3: tls.cert: is no PEM file with a certificate",
    ],
    [
      "what is no key",
      { ...tls, key: "own.pem" },
      "FILE:4: tls.key: is no PEM file with a private key",
    ],
    [
      "somebody else's key",
      { ...tls, key: "other.key" },
      "FILE:4: tls.key: does not belong to the certificate in cert",
    ],
  ])("%s", async (_what, written, message) => {
    expect((await problem({ tls: written }))[0]).toBe(message);
  });

  test("a device that never ends", async () => {
    expect((await problem({ tls: { ...tls, cert: "/dev/zero" } }))[0]).toBe(
      "FILE:3: tls.cert: is not a regular file",
    );
  });

  test("a file beyond all size", async () => {
    writeFileSync(join(paths.folder, "own.pem"), " ".repeat(256 * 1024 + 1));
    expect((await problem({ tls }))[0]).toBe("FILE:3: tls.cert: is larger than 256 KiB");
  });

  test("a key with a passphrase", async () => {
    const key = join(paths.folder, "own.key");
    openssl("ec", "-in", key, "-aes256", "-passout", "pass:x", "-out", `${key}.enc`);
    chmodSync(`${key}.enc`, 0o600);
    expect((await problem({ tls: { ...tls, key: "own.key.enc" } }))[0]).toBe(
      "FILE:4: tls.key: is encrypted; the gateway has no passphrase for it",
    );
  });

  test("a certificate that the TLS library does not take", async () => {
    const weak = ["-newkey", "rsa:512", "-nodes", "-subj", "/CN=localhost"];
    const [cert, key] = [join(paths.folder, "weak.pem"), join(paths.folder, "weak.key")];
    openssl("req", "-x509", ...weak, "-keyout", key, "-out", cert);
    chmodSync(key, 0o600);
    const [message] = await problem({ tls: { cert, key } });
    expect(message).toMatch(/^FILE:3: tls\.cert: cannot be used: .*key too small/u);
  });

  test("a key that others may write", async () => {
    for (const [mode, shown] of [
      [0o660, "0660"],
      [0o602, "0602"],
    ] as const) {
      chmodSync(join(paths.folder, "own.key"), mode);
      expect(await problem({ tls })).toEqual([
        `FILE:4: tls.key: group or others may write it (mode ${shown}), so they could replace it`,
        "chmod 600 on the file",
      ]);
    }
  });
});

const doubtsOf = async (now?: () => number) => {
  const doubts: string[] = [];
  await load({ tls }, { onDoubt: (doubt) => doubts.push(doubt), now });
  return doubts.map((doubt) => doubt.replace(paths.file, "FILE"));
};

describe("told is", () => {
  test("nothing of what is as it should be", async () => {
    chmodSync(join(paths.folder, "own.key"), 0o640);
    expect(await doubtsOf()).toEqual([]);
  });

  test("a key that everybody may read, as of mounted secrets", async () => {
    chmodSync(join(paths.folder, "own.key"), 0o644);
    expect(await doubtsOf()).toEqual([
      "FILE:4: tls.key: everybody on this machine may read it (mode 0644): chmod 600 on the file",
    ]);
  });

  test("a certificate out of its time", async () => {
    expect(await doubtsOf(() => Date.now() + 3 * day)).toEqual([
      "FILE:3: tls.cert: has expired, so clients will refuse it: renew the certificate",
    ]);
    expect(await doubtsOf(() => Date.now() - day)).toEqual([
      "FILE:3: tls.cert: is not valid yet, so clients will refuse it: check the machine's clock",
    ]);
  });
});

describe("with tls the gateway may be reached from elsewhere", () => {
  test("without a proxy", async () => {
    await expect(load({ host: "0.0.0.0", tls })).resolves.toBeDefined();
    expect((await problem({ host: "0.0.0.0" }))[0]).toContain("needs tls or an https externalUrl");
  });

  test("but never without any sign-in", async () => {
    expect((await problem({ host: "0.0.0.0", tls, auth: { type: "none" } }))[0]).toContain(
      '"none" is only for a loopback host',
    );
  });

  test("and still under an https address alone", async () => {
    const written = { host: "0.0.0.0", tls, externalUrl: "http://gate.example" };
    expect((await problem(written))[0]).toContain("externalUrl: must begin with https://");
  });
});
