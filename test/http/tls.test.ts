import { chmodSync, mkdirSync, mkdtempSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Configuration } from "../../src/core/configuration.ts";
import type { Logger } from "../../src/core/logger.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import { keepCertificate } from "../../src/http/keep-certificate.ts";
import { readTlsMaterial } from "../../src/config/read-tls-files.ts";
import { makeCertificate } from "../fixtures/make-certificate.ts";
import type { MadeCertificate } from "../fixtures/make-certificate.ts";
import { startTestServer } from "./support.ts";

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const certificate = makeCertificate();

const start = async (files: Configuration["tls"] = certificate): Promise<HttpServer> => {
  const server = await startTestServer({ configuration: { tls: files } });
  ends.push(() => server.close(0));
  return server;
};

const shake = (port: number, options: ConnectionOptions = {}): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
    ends.push(() => void socket.destroy());
  });

const fingerprintAt = async (port: number): Promise<string | undefined> => {
  const socket = await shake(port);
  const { fingerprint256 } = socket.getPeerX509Certificate() ?? {};
  socket.destroy();
  return fingerprint256?.replaceAll(":", "").toLowerCase();
};

/** What comes back on a connection until it ends. */
const conversation = (port: number, said: string | Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connectPlain(port, "127.0.0.1", () => socket.write(said));
    let heard = "";
    socket.on("data", (chunk: Buffer) => (heard += chunk.toString("latin1")));
    socket.once("error", reject);
    socket.once("close", () => resolve(heard));
  });

const hasIpv6Loopback = Object.values(networkInterfaces())
  .flat()
  .some((entry) => entry?.address === "::1");

describe("a gateway with tls", () => {
  it("speaks https on both loopback addresses, and says so", async () => {
    const { urls, port, certificates } = await start();
    const expected = ["127.0.0.1", ...(hasIpv6Loopback ? ["[::1]"] : [])];
    expect(urls).toEqual(expected.map((host) => `https://${host}:${port}`));
    expect(certificates).toEqual([certificate.fingerprint]);
    for (const host of hasIpv6Loopback ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
      const socket = await shake(port, { host, ca: certificate.cert, rejectUnauthorized: true });
      socket.end("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      expect((await socket.toArray()).join("")).toMatch(/^HTTP\/1\.1 200 /u);
    }
  });

  it("speaks TLS 1.2 and 1.3, nothing older, and HTTP/1.1 only", async () => {
    const { port } = await start();
    const old = { minVersion: "TLSv1", ciphers: "DEFAULT:@SECLEVEL=0" } as const;
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const socket = await shake(port, { maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
    }
    await expect(shake(port, { ...old, maxVersion: "TLSv1.1" })).rejects.toThrow(/alert|version/u);
    const both = await shake(port, { ALPNProtocols: ["h2", "http/1.1"] });
    expect(both.alpnProtocol).toBe("http/1.1");
    await expect(shake(port, { ALPNProtocols: ["h2"] })).rejects.toThrow(/protocol/u);
  });

  it("answers HTTP without TLS in the clear, with a hint, and ends the connection", async () => {
    const { port } = await start();
    const heard = await conversation(port, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(heard).toContain("\r\ncache-control: no-store\r\n");
    expect(heard).toContain("\r\nx-content-type-options: nosniff\r\n");
    expect(heard).toMatch(/^HTTP\/1\.1 400 /u);
    expect(heard).toContain('"hint":"Begin the address with https://"');
    expect(await conversation(port, Buffer.alloc(64, 7))).not.toContain("HTTP");
    expect(await fingerprintAt(port)).toBe(certificate.fingerprint);
  });

  it("ends at once although somebody never finishes a handshake", async () => {
    const server = await startTestServer({ configuration: { tls: certificate } });
    const silent = connectPlain(server.port, "127.0.0.1");
    await new Promise<void>((resolve) => {
      silent.once("connect", () => resolve());
    });
    // So that the server has taken the connection.
    await fingerprintAt(server.port);
    // A grace longer than the test.
    await expect(server.close(60_000)).resolves.toBeUndefined();
    silent.destroy();
  });

  it("does not start with files that are no certificate and its key, and repeats none of them", async () => {
    const other = makeCertificate();
    const folder = mkdtempSync(join(tmpdir(), "onedoor-tls-"));
    const junk = join(folder, "junk.pem");
    writeFileSync(junk, "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n");
    const open = join(folder, "open.pem");
    writeFileSync(open, certificate.key, { mode: 0o666 });
    chmodSync(open, 0o666);
    const large = join(folder, "large.pem");
    writeFileSync(large, certificate.cert + "\n".repeat(256 * 1024));
    const { certFile, keyFile } = certificate;
    for (const [files, reason] of [
      [{ certFile, keyFile: other.keyFile }, /does not belong to the certificate in cert/u],
      [{ certFile, keyFile: junk }, /is no PEM file with a private key/u],
      [{ certFile: junk, keyFile }, /is no PEM file with a certificate/u],
      [{ certFile, keyFile: open }, /group or others may write it \(mode 0666\)/u],
      [{ certFile: join(folder, "none"), keyFile }, /there is no such file/u],
      [{ certFile: folder, keyFile }, /is not a regular file/u],
      [{ certFile: "/dev/zero", keyFile }, /is not a regular file/u],
      [{ certFile, keyFile: "/dev/zero" }, /is not a regular file/u],
      [{ certFile: large, keyFile }, /is larger than 256 KiB/u],
    ] as const) {
      const error = await start(files).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "config_invalid" });
      expect(String(error)).toMatch(reason);
      expect(String(error)).not.toContain("hunter2");
    }
  });
});

const logged = (): { logger: Logger; lines: string[] } => {
  const lines: string[] = [];
  const note =
    (level: string) =>
    (message: string): void =>
      void lines.push(`${level} ${message}`);
  return {
    lines,
    logger: {
      debug: note("debug"),
      info: note("info"),
      warn: note("warn"),
      error: note("error"),
    },
  };
};

const place = ({ cert, key }: MadeCertificate, folder: string): void => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "cert.pem"), cert);
  writeFileSync(join(folder, "key.pem"), key, { mode: 0o600 });
};
const filesIn = (folder: string): { certFile: string; keyFile: string } => ({
  certFile: join(folder, "cert.pem"),
  keyFile: join(folder, "key.pem"),
});

const follow = async (
  files: { certFile: string; keyFile: string },
  now = Date.now,
): Promise<{ used: string[]; lines: string[] }> => {
  const used: string[] = [];
  const { logger, lines } = logged();
  const keeper = keepCertificate({
    files,
    read: readTlsMaterial,
    first: await readTlsMaterial(files),
    use(next) {
      used.push(next.fingerprint);
      return Promise.resolve();
    },
    logger,
    now,
    lookMs: 5,
  });
  ends.push(() => {
    keeper.close();
  });
  return { used, lines };
};

describe("renewal", () => {
  it.each([
    [
      "written over",
      (next: MadeCertificate, folder: string) => {
        place(next, folder);
      },
    ],
    [
      "renamed over",
      (next: MadeCertificate, folder: string) => {
        place(next, `${folder}-new`);
        renameSync(join(`${folder}-new`, "key.pem"), join(folder, "key.pem"));
        renameSync(join(`${folder}-new`, "cert.pem"), join(folder, "cert.pem"));
      },
    ],
    [
      "another target of the links (certbot)",
      (next: MadeCertificate, folder: string) => {
        place(next, `${folder}-archive`);
        for (const name of ["cert.pem", "key.pem"]) {
          symlinkSync(join(`${folder}-archive`, name), join(folder, `${name}.new`));
          renameSync(join(folder, `${name}.new`), join(folder, name));
        }
      },
    ],
  ])("is noticed when the files are %s", async (_how, replace) => {
    const folder = join(mkdtempSync(join(tmpdir(), "onedoor-tls-")), "live");
    place(certificate, folder);
    const { used, lines } = await follow(filesIn(folder));
    const next = makeCertificate();
    replace(next, folder);
    await vi.waitFor(() => expect(used).toEqual([next.fingerprint]));
    await vi.waitFor(() => {
      expect(lines).toContain("info The changed TLS certificate is in effect");
    });
  });

  it("is noticed when the folder is another one (Kubernetes)", async () => {
    const home = mkdtempSync(join(tmpdir(), "onedoor-tls-"));
    place(certificate, join(home, "1"));
    symlinkSync(join(home, "1"), join(home, "live"));
    const { used } = await follow(filesIn(join(home, "live")));
    const next = makeCertificate();
    place(next, join(home, "2"));
    symlinkSync(join(home, "2"), join(home, "new"));
    renameSync(join(home, "new"), join(home, "live"));
    await vi.waitFor(() => expect(used).toEqual([next.fingerprint]));
  });

  it("keeps what it has while the new files are wrong, says so once, and takes them when they are right", async () => {
    const folder = join(mkdtempSync(join(tmpdir(), "onedoor-tls-")), "live");
    place(certificate, folder);
    const { used, lines } = await follow(filesIn(folder));
    const next = makeCertificate();
    writeFileSync(join(folder, "cert.pem"), next.cert);
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    expect(lines[0]).toMatch(
      /^error The changed TLS certificate is not used, the one before stays: .*does not belong to the certificate in cert/u,
    );
    writeFileSync(join(folder, "key.pem"), next.key);
    await vi.waitFor(() => expect(used).toEqual([next.fingerprint]));
    expect(lines.filter((line) => line.startsWith("error"))).toHaveLength(1);
    expect(lines.join()).not.toContain("PRIVATE KEY");
  });

  it("reads nothing of what is no file, though it be there by a link", async () => {
    const folder = join(mkdtempSync(join(tmpdir(), "onedoor-tls-")), "live");
    place(certificate, folder);
    const { used, lines } = await follow(filesIn(folder));
    symlinkSync("/dev/zero", join(folder, "cert.pem.new"));
    renameSync(join(folder, "cert.pem.new"), join(folder, "cert.pem"));
    await vi.waitFor(() => expect(lines.join()).toContain("cert.pem is not a regular file"));
    expect(used).toEqual([]);
  });

  it("keeps a good one when the new one has expired", async () => {
    const folder = join(mkdtempSync(join(tmpdir(), "onedoor-tls-")), "live");
    const long = makeCertificate({ days: 30 });
    place(long, folder);
    const tenDays = 10 * 24 * 60 * 60 * 1000;
    const { used, lines } = await follow(filesIn(folder), () => Date.now() + tenDays);
    place(makeCertificate({ days: 1 }), folder);
    await vi.waitFor(() => expect(lines.join()).toContain("has expired"));
    expect(used).toEqual([]);
  });

  it("reaches the listener: new connections get the new one, told before and after; old ones go on", async () => {
    const folder = join(mkdtempSync(join(tmpdir(), "onedoor-tls-")), "live");
    place(certificate, folder);
    const told: (readonly string[])[] = [];
    const server = await startTestServer({
      configuration: { tls: filesIn(folder) },
      onCertificates(fingerprints) {
        told.push(fingerprints);
        return Promise.resolve();
      },
      certificateLookMs: 5,
    });
    ends.push(() => server.close(0));
    const standing = await shake(server.port);
    const next = makeCertificate();
    place(next, folder);
    await vi.waitFor(() => expect(server.certificates).toEqual([next.fingerprint]));
    expect(await fingerprintAt(server.port)).toBe(next.fingerprint);
    expect(told).toEqual([[next.fingerprint, certificate.fingerprint], [next.fingerprint]]);
    expect((await shake(server.port, { maxVersion: "TLSv1.2" })).getProtocol()).toBe("TLSv1.2");
    standing.end("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const [first] = await standing.take(1).toArray();
    expect(String(first)).toMatch(/^HTTP\/1\.1 200 /u);
  });
});
