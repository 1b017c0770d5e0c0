import { X509Certificate, createPrivateKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { TlsConfiguration } from "../core/configuration.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { oneLine } from "../core/terminal-text.ts";
import type { Findings } from "./findings.ts";

/** Far beyond any chain of certificates. */
const largestPemBytes = 256 * 1024;
const writableByOthers = 0o022;
const readableByOthers = 0o004;

interface PemFile {
  text: string;
  mode: number;
}

/**
 * Reports what keeps the two files from serving https: not there, no PEM, a key that does not fit or that group or
 * others may replace, a certificate that the TLS library refuses. Doubtful: a key that everybody may read, as mounted
 * secrets of containers are, and a certificate out of its time. Reasons hold nothing of the files.
 */
export async function checkTlsFiles(
  { certFile, keyFile }: TlsConfiguration,
  findings: Findings,
  nowMs: number,
): Promise<void> {
  const [cert, key] = [
    await readPem(certFile, findings.at("cert")),
    await readPem(keyFile, findings.at("key")),
  ];
  const certificate = cert && parseCertificate(cert, findings.at("cert"), nowMs);
  const privateKey = key && parseKey(key, findings.at("key"));
  if (cert === undefined || key === undefined) return;
  if (certificate === undefined || privateKey === undefined) return;
  if (!certificate.checkPrivateKey(privateKey)) {
    const hint = "the file must begin with the gateway's own certificate, then those above it";
    findings.problem(["key"], "does not belong to the certificate in cert", hint);
    return;
  }
  try {
    createSecureContext({ cert: cert.text, key: key.text });
  } catch (error) {
    findings.problem(["cert"], `cannot be used: ${reasonOf(error)}`);
  }
}

async function readPem(file: string, findings: Findings): Promise<PemFile | undefined> {
  let handle;
  try {
    // Without O_NONBLOCK (which Windows lacks) a named pipe would hold the start up for ever.
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const status = await handle.stat();
    if (!status.isFile()) findings.problem([], "is not a regular file");
    else if (status.size > largestPemBytes) findings.problem([], "is larger than 256 KiB");
    else return { mode: status.mode, text: await handle.readFile("utf8") };
  } catch (error) {
    const code = systemErrorCode(error);
    findings.problem(
      [],
      code === "ENOENT" ? "there is no such file" : `cannot be read (${code ?? "unknown error"})`,
    );
  } finally {
    await handle?.close();
  }
  return undefined;
}

function parseCertificate(
  { text }: PemFile,
  findings: Findings,
  nowMs: number,
): X509Certificate | undefined {
  let certificate;
  try {
    certificate = new X509Certificate(text);
  } catch {
    findings.problem([], "is no PEM file with a certificate");
    return undefined;
  }
  if (Date.parse(certificate.validTo) < nowMs) {
    findings.doubt([], "has expired, so clients will refuse it", "renew the certificate");
  } else if (Date.parse(certificate.validFrom) > nowMs) {
    findings.doubt([], "is not valid yet, so clients will refuse it", "check the machine's clock");
  }
  return certificate;
}

function parseKey({ text, mode }: PemFile, findings: Findings): KeyObject | undefined {
  if (process.platform !== "win32") checkMode(mode, findings);
  try {
    return createPrivateKey(text);
  } catch {
    findings.problem(
      [],
      /^(?:-----BEGIN|Proc-Type: 4,).*ENCRYPTED/mu.test(text)
        ? "is encrypted; the gateway has no passphrase for it"
        : "is no PEM file with a private key",
    );
    return undefined;
  }
}

function checkMode(mode: number, findings: Findings): void {
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  if ((mode & writableByOthers) !== 0) {
    const reason = `group or others may write it (mode ${shown}), so they could replace it`;
    findings.problem([], reason, "chmod 600 on the file");
  } else if ((mode & readableByOthers) !== 0) {
    const reason = `everybody on this machine may read it (mode ${shown})`;
    findings.doubt([], reason, "chmod 600 on the file");
  }
}

function reasonOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error), 100);
}
