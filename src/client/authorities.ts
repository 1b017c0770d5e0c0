import { X509Certificate } from "node:crypto";
import { createSecureContext, rootCertificates } from "node:tls";
import * as tls from "node:tls";
import type { SecureContext } from "node:tls";
import { AppError } from "../core/errors.ts";
import { quoteForShell } from "../core/shell-quote.ts";

const pemCertificate = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/gu;

/** A file of certificates (PEM) and what named it, for messages. */
export interface AuthoritiesFile {
  path: string;
  from: "--cacert" | "ONEDOOR_CACERT";
}

export function authoritiesHint({ from }: AuthoritiesFile): string {
  return `${from} names a file of certificates in PEM form (-----BEGIN CERTIFICATE-----)`;
}

/**
 * The authorities in the text of a file, to trust beside those that Node trusts.
 * @param extra what `NODE_EXTRA_CA_CERTS` names, which Node leaves out where authorities are given to it
 * @returns what makes the context, at its first use; always the same
 * @throws AppError `usage`, naming the file
 */
export function authoritiesIn(
  text: string,
  file: AuthoritiesFile,
  extra = "",
): () => SecureContext {
  const wrong = (what: string): AppError =>
    new AppError("usage", `${quoteForShell(file.path)} ${what}`, { hint: authoritiesHint(file) });
  const given = text.match(pemCertificate) ?? [];
  if (given.length === 0) throw wrong("holds no certificate");
  for (const [index, certificate] of given.entries()) {
    if (!isCertificate(certificate))
      throw wrong(`holds what is no certificate (number ${index + 1})`);
  }
  const more = (extra.match(pemCertificate) ?? []).filter(isCertificate);
  let context: SecureContext | undefined;
  return () => (context ??= createSecureContext({ ca: [...trustedByNode(), ...more, ...given] }));
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
