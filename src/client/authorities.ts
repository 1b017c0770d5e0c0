import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createSecureContext, rootCertificates } from "node:tls";
import * as tls from "node:tls";
import type { SecureContext } from "node:tls";
import { AppError } from "../core/errors.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { oneLine } from "../core/terminal-text.ts";

/** Far more than all authorities of a system take, in bytes. */
const maxFileBytes = 4 * 1024 * 1024;

const pemCertificate = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/gu;

/** A file of certificates (PEM) and what named it, for messages. */
export interface AuthoritiesFile {
  path: string;
  from: "--cacert" | "ONEDOOR_CACERT";
}

/**
 * The authorities in a file, to trust beside those that Node trusts.
 * @param extraFile value of `NODE_EXTRA_CA_CERTS`, which Node leaves out where authorities are given to it; one that
 *   cannot be read is left out by Node too
 * @returns what makes the context, at its first use; always the same
 * @throws AppError `usage`, naming the file
 */
export async function readAuthorities(
  { path, from }: AuthoritiesFile,
  extraFile: string | undefined,
): Promise<() => SecureContext> {
  const wrong = (what: string, cause?: unknown): AppError =>
    new AppError("usage", `${from}: ${oneLine(path)} ${what}`, {
      hint: "Name a file of certificates in PEM form (-----BEGIN CERTIFICATE-----)",
      cause,
    });
  const text = await readBounded(path).catch((error: unknown) => {
    throw wrong(`cannot be read (${systemErrorCode(error) ?? "it fails"})`, error);
  });
  if (text === "not a file") throw wrong("is no file");
  if (text === "too large") throw wrong(`is larger than ${maxFileBytes / 1024 / 1024} MiB`);
  const given = text.text.match(pemCertificate) ?? [];
  if (given.length === 0) throw wrong("holds no certificate");
  for (const [index, certificate] of given.entries()) {
    if (!isCertificate(certificate))
      throw wrong(`holds what is no certificate (number ${index + 1})`);
  }
  const extra = extraFile === undefined ? undefined : await readBounded(extraFile).catch(() => "");
  const more = typeof extra === "object" ? (extra.text.match(pemCertificate) ?? []) : [];
  let context: SecureContext | undefined;
  return () =>
    (context ??= createSecureContext({
      ca: [...trustedByNode(), ...more.filter(isCertificate), ...given],
    }));
}

async function readBounded(path: string): Promise<{ text: string } | "not a file" | "too large"> {
  const found = await stat(path);
  if (!found.isFile()) return "not a file";
  if (found.size > maxFileBytes) return "too large";
  return { text: await readFile(path, "utf8") };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** Newer ones than Node 20 say what they trust, which may be more than what they come with. */
function trustedByNode(): readonly string[] {
  const listed: unknown =
    "getCACertificates" in tls && typeof tls.getCACertificates === "function"
      ? tls.getCACertificates("default")
      : undefined;
  return Array.isArray(listed) ? listed.map(String) : rootCertificates;
}
