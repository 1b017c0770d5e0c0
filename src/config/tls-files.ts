import type { TlsConfiguration } from "../core/configuration.ts";
import type { Findings } from "./findings.ts";
import { readTlsFiles, shownMode } from "./read-tls-files.ts";

const readableByOthers = 0o004;

/**
 * Reports what keeps the two files from serving https: not there, no PEM, a key that does not fit or that group or
 * others may replace, a certificate that the TLS library refuses. Doubtful: a key that everybody may read, as mounted
 * secrets of containers are, and a certificate out of its time. Reasons hold nothing of the files.
 */
export async function checkTlsFiles(
  files: TlsConfiguration,
  findings: Findings,
  nowMs: number,
): Promise<void> {
  const read = await readTlsFiles(files);
  if (read.kind === "bad") {
    for (const { file, reason, hint } of read.faults) findings.problem([file], reason, hint);
    return;
  }
  const { material, keyMode } = read;
  if (material.validToMs < nowMs) {
    findings.doubt(["cert"], "has expired, so clients will refuse it", "renew the certificate");
  } else if (material.validFromMs > nowMs) {
    const reason = "is not valid yet, so clients will refuse it";
    findings.doubt(["cert"], reason, "check the machine's clock");
  }
  if (process.platform !== "win32" && (keyMode & readableByOthers) !== 0) {
    const reason = `everybody on this machine may read it (mode ${shownMode(keyMode)})`;
    findings.doubt(["key"], reason, "chmod 600 on the file");
  }
}
