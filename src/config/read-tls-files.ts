import { X509Certificate, createPrivateKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { TlsConfiguration } from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { oneLine } from "../core/terminal-text.ts";
import type { TlsMaterial } from "../core/tls-material.ts";

/** What keeps a file from being used; it repeats nothing that stands in it. */
export interface TlsFault {
  file: "cert" | "key";
  reason: string;
  hint?: string | undefined;
}

export type TlsReading =
  | {
      kind: "good";
      material: TlsMaterial;
      /** Permission bits of the key's file. */ keyMode: number;
    }
  | { kind: "bad"; faults: readonly [TlsFault, ...TlsFault[]] };

/** Far beyond any chain of certificates. */
const largestPemBytes = 256 * 1024;
const writableByOthers = 0o022;

interface PemFile {
  text: string;
  mode: number;
}

/** Reads certificate and key, and sees that they can be used together. */
export async function readTlsFiles({ certFile, keyFile }: TlsConfiguration): Promise<TlsReading> {
  const [cert, key] = await Promise.all([
    readPart("cert", certFile, certificateIn),
    readPart("key", keyFile, keyIn),
  ]);
  if ("reason" in cert) {
    return { kind: "bad", faults: "reason" in key ? [cert, key] : [cert] };
  }
  if ("reason" in key) return { kind: "bad", faults: [key] };
  const fault = faultOfPair(cert, key);
  if (fault !== undefined) return { kind: "bad", faults: [fault] };
  const { fingerprint256, validFrom, validTo } = cert.part;
  const material = {
    cert: cert.text,
    key: key.text,
    fingerprint: fingerprint256.replaceAll(":", "").toLowerCase(),
    validFromMs: Date.parse(validFrom),
    validToMs: Date.parse(validTo),
  };
  return { kind: "good", material, keyMode: key.mode };
}

/** The same for who has no file to name a line of. @throws AppError `config_invalid` that names the file */
export async function readTlsMaterial(files: TlsConfiguration): Promise<TlsMaterial> {
  const read = await readTlsFiles(files);
  if (read.kind === "good") return read.material;
  const [{ file, reason, hint }] = read.faults;
  const path = file === "cert" ? files.certFile : files.keyFile;
  throw new AppError("config_invalid", `${path} ${reason}`, {
    hint: hint ?? 'Check "tls" in the configuration',
  });
}

interface Part<Parsed> extends PemFile {
  part: Parsed;
}

/** @param parse answers what is wrong as a text, or as a fault with its hint */
async function readPart<Parsed extends object>(
  file: TlsFault["file"],
  path: string,
  parse: (pem: PemFile) => Parsed | Omit<TlsFault, "file">,
): Promise<Part<Parsed> | TlsFault> {
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK (which Windows lacks) a named pipe would be waited for, and with it every later change.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const status = await handle.stat();
    if (!status.isFile()) return { file, reason: "is not a regular file" };
    const text = await textIn(handle);
    if (text === undefined) return { file, reason: "is larger than 256 KiB" };
    const pem = { text, mode: status.mode };
    const part = parse(pem);
    return isFault(part) ? { file, ...part } : { ...pem, part };
  } catch (error) {
    const code = systemErrorCode(error);
    const reason =
      code === "ENOENT" ? "there is no such file" : `cannot be read (${code ?? "unknown error"})`;
    return { file, reason };
  } finally {
    await handle?.close();
  }
}

function isFault(part: object): part is Omit<TlsFault, "file"> {
  return "reason" in part;
}

/**
 * What the system says of the size does not count: of some files it says 0, and a file may grow meanwhile.
 * @returns undefined when it is too large
 */
async function textIn(handle: FileHandle): Promise<string | undefined> {
  let text = "";
  const piece = Buffer.alloc(64 * 1024);
  for (;;) {
    const { bytesRead } = await handle.read(piece, 0, piece.length, text.length);
    if (bytesRead === 0) return text;
    text += piece.toString("latin1", 0, bytesRead);
    if (text.length > largestPemBytes) return undefined;
  }
}

/** The first of them is the server's own (RFC 8446 §4.4.2). */
function certificateIn({ text }: PemFile): X509Certificate | Omit<TlsFault, "file"> {
  try {
    return new X509Certificate(text);
  } catch {
    return { reason: "is no PEM file with a certificate" };
  }
}

/** What OpenSSL says of a key it cannot read may repeat some of it, so the reason is ours. */
function keyIn({ text, mode }: PemFile): KeyObject | Omit<TlsFault, "file"> {
  if (process.platform !== "win32" && (mode & writableByOthers) !== 0) {
    return {
      reason: `group or others may write it (mode ${shownMode(mode)}), so they could replace it`,
      hint: "chmod 600 on the file",
    };
  }
  try {
    return createPrivateKey(text);
  } catch {
    const isEncrypted = /^(?:-----BEGIN|Proc-Type: 4,).*ENCRYPTED/mu.test(text);
    return {
      reason: isEncrypted
        ? "is encrypted; the gateway has no passphrase for it"
        : "is no PEM file with a private key",
    };
  }
}

function faultOfPair(cert: Part<X509Certificate>, key: Part<KeyObject>): TlsFault | undefined {
  if (!cert.part.checkPrivateKey(key.part)) {
    return {
      file: "key",
      reason: "does not belong to the certificate in cert",
      hint: "the file must begin with the gateway's own certificate, then those above it",
    };
  }
  try {
    createSecureContext({ cert: cert.text, key: key.text });
    return undefined;
  } catch (error) {
    // A chain of which a later part is broken, or a key that is too short for today.
    const said = oneLine(error instanceof Error ? error.message : String(error), 100);
    return { file: "cert", reason: `cannot be used: ${said}` };
  }
}

/** `0644` */
export function shownMode(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}
