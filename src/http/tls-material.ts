import { createPrivateKey, X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { TlsConfiguration } from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import { systemErrorCode } from "../core/system-error-code.ts";

/** A certificate with its chain, and the private key that fits it, both as they stand in their files (PEM). */
export interface TlsMaterial {
  cert: string;
  key: string;
  /** SHA-256 of the certificate itself (DER), in lower-case hex: what local programs expect to be shown. */
  fingerprint: string;
  /** Milliseconds since the epoch. */
  validToMs: number;
}

/** A chain of certificates has some KiB; whatever is far larger is another file. */
const mostBytes = 1024 * 1024;
const writableByOthers = 0o022;

/**
 * Reads certificate and key, and sees that they can be used together.
 * @throws AppError `config_invalid` that names the file and what is wrong with it, and nothing that stands in it
 */
export async function readTlsMaterial(files: TlsConfiguration): Promise<TlsMaterial> {
  const { certFile, keyFile } = files;
  const [cert, key] = await Promise.all([readPem(certFile, false), readPem(keyFile, true)]);
  const certificate = certificateIn(cert, certFile);
  if (!certificate.checkPrivateKey(keyIn(key, keyFile))) {
    throw wrong(keyFile, `is not the key of the certificate in ${certFile}`);
  }
  try {
    createSecureContext({ cert, key });
  } catch {
    // A chain of which a later part is broken, or a key that is too short for today.
    throw wrong(certFile, "is not taken by TLS");
  }
  return {
    cert,
    key,
    fingerprint: fingerprintOf(certificate),
    validToMs: Date.parse(certificate.validTo),
  };
}

/** As `TlsMaterial.fingerprint`. */
function fingerprintOf({ fingerprint256 }: Pick<X509Certificate, "fingerprint256">): string {
  return fingerprint256.replaceAll(":", "").toLowerCase();
}

async function readPem(file: string, mustBeOurs: boolean): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    // A named pipe would be waited for, and with it every later change.
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const status = await handle.stat();
    const { mode } = status;
    if (!status.isFile()) throw wrong(file, "is not a regular file");
    if (mustBeOurs && process.platform !== "win32" && (mode & writableByOthers) !== 0) {
      throw wrong(file, "may be written by group or others, so they could replace it");
    }
    return await textIn(handle, file);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw wrong(file, `cannot be read (${systemErrorCode(error) ?? "unknown"})`);
  } finally {
    await handle?.close();
  }
}

/** What the system says of the size does not count: of some files it says 0, and a file may grow meanwhile. */
async function textIn(handle: FileHandle, file: string): Promise<string> {
  let text = "";
  const piece = Buffer.alloc(64 * 1024);
  for (;;) {
    const { bytesRead } = await handle.read(piece, 0, piece.length, text.length);
    if (bytesRead === 0) return text;
    text += piece.toString("latin1", 0, bytesRead);
    if (text.length > mostBytes) throw wrong(file, "is larger than 1 MiB");
  }
}

/** The first of them is the server's own (RFC 8446 §4.4.2). */
function certificateIn(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw wrong(file, "holds no certificate in PEM");
  }
}

/** What OpenSSL says of a key it cannot read may repeat some of it, so the reason is ours. */
function keyIn(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const isEncrypted = systemErrorCode(error) === "ERR_MISSING_PASSPHRASE";
    throw wrong(
      file,
      isEncrypted
        ? "holds a key that only a passphrase opens, for which there is nobody to ask"
        : "holds no private key in PEM",
    );
  }
}

function wrong(file: string, what: string): AppError {
  return new AppError("config_invalid", `${file} ${what}`, {
    hint: 'Check "tls" in the configuration',
  });
}
