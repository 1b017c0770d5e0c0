import { isJsonObject } from "../core/json.ts";

/** How the running gateway of one user is found: what `<state>/server.json` says. */
export interface RuntimeRecord {
  pid: number;
  /** The literal loopback address it listens on, without a path: `http://127.0.0.1:3050`, or with https. */
  url: string;
  /**
   * With https: the certificates that may be shown there, by SHA-256 (DER) in lower-case hex. More than one only
   * while one takes the place of another.
   */
  certificates?: readonly string[] | undefined;
  instanceId: string;
  /** Milliseconds since the epoch. */
  startedAtMs: number;
  /** 32 random bytes in base64url: the key of the local proof. It never leaves this machine's disk. */
  secret: string;
  /** Where its configuration is, or would be. */
  configurationFile?: string | undefined;
}

/** The record as it stands on disk, with what ties it to its process and to its place. */
export interface StoredRuntimeRecord extends RuntimeRecord {
  /** When the process started, in the kernel's own words; null where that cannot be asked. */
  processStart: string | null;
  /** The file's own inode number: a copy of the file has another one. */
  inode: string;
}

/** SHA-256 in hex. */
const fingerprint = /^[\da-f]{64}$/;
const mostCertificates = 8;
const loopbackUrl = /^https?:\/\/(?:127(?:\.\d{1,3}){3}|\[::1\]):(\d{1,5})$/;

/** A literal loopback URL with a port; names (`localhost`) can be made to resolve to anything. */
export function isLoopbackUrl(url: string): boolean {
  const port = Number(loopbackUrl.exec(url)?.[1]);
  return port >= 1 && port <= 65_535 && URL.canParse(url);
}

/** Reads the file's text by hand (no schema library on the way of a command); undefined when it is no record. */
export function parseRuntimeRecord(text: string): StoredRuntimeRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(value) || value["version"] !== 1) {
    return undefined;
  }
  const { pid, url, instanceId, startedAtMs, secret, processStart, inode, configurationFile } =
    value;
  const { certificates } = value;
  if (
    typeof pid !== "number" ||
    !Number.isSafeInteger(pid) ||
    pid <= 0 ||
    typeof url !== "string" ||
    typeof instanceId !== "string" ||
    !/^[\w-]{1,128}$/.test(instanceId) ||
    typeof startedAtMs !== "number" ||
    !Number.isFinite(startedAtMs) ||
    typeof secret !== "string" ||
    !/^[\w-]{43}$/.test(secret) ||
    !(processStart === null || typeof processStart === "string") ||
    typeof inode !== "string" ||
    !(configurationFile === undefined || typeof configurationFile === "string") ||
    !(certificates === undefined || isFingerprints(certificates)) ||
    // Whoever reads it must not be left to take any certificate.
    url.startsWith("https:") !== (certificates !== undefined)
  ) {
    return undefined;
  }
  return {
    pid,
    url,
    instanceId,
    startedAtMs,
    secret,
    processStart,
    inode,
    ...(configurationFile === undefined ? {} : { configurationFile }),
    ...(certificates === undefined ? {} : { certificates }),
  };
}

function isFingerprints(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= mostCertificates &&
    value.every((item) => typeof item === "string" && fingerprint.test(item))
  );
}

export function formatRuntimeRecord(record: StoredRuntimeRecord): string {
  return `${JSON.stringify({ version: 1, ...record })}\n`;
}
