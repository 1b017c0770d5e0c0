import { stat } from "node:fs/promises";
import type { TlsConfiguration } from "../core/configuration.ts";
import { toAppError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { TlsMaterial } from "../core/tls-material.ts";

export interface KeepCertificateOptions {
  files: TlsConfiguration;
  /** Reads them. @throws AppError for what cannot be used, which repeats nothing that stands in them */
  read: (files: TlsConfiguration) => Promise<TlsMaterial>;
  /** What is in use already. */
  first: TlsMaterial;
  /** Takes what is in the files by now into use. */
  use: (next: TlsMaterial, before: TlsMaterial) => Promise<void>;
  logger: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** How often to look, in milliseconds. */
  lookMs?: number | undefined;
}

/** A certificate is renewed some weeks before its end: seconds do not matter, two questions to the system neither. */
const defaultLookMs = 2_000;

/**
 * Looks again and again whether certificate and key have changed. They are asked for by their names, so that it
 * does not matter how they are replaced: written over, renamed over, by links to them or to a folder on the way
 * (certbot, Kubernetes), or on a file system that tells nobody. Between the one file and the other they do not
 * fit: what has changed is read when it is the same at two looks.
 */
export function keepCertificate(options: KeepCertificateOptions): { close(): void } {
  const { files, read, use, logger, now, lookMs = defaultLookMs } = options;
  let current = options.first;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  /** The state of the files that was judged last; undefined: none was. */
  let judged: string | undefined;
  let lastSeen: string | undefined;

  const judge = async (): Promise<void> => {
    try {
      const next = await read(files);
      const before = current;
      if (next.cert === before.cert && next.key === before.key) return;
      const atMs = now();
      if (next.validToMs <= atMs && before.validToMs > atMs) {
        throw new Error(`${files.certFile} holds a certificate that has expired`);
      }
      await use(next, before);
      current = next;
      logger.info("The changed TLS certificate is in effect", {
        file: files.certFile,
        expires: new Date(next.validToMs).toISOString(),
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : toAppError(error).message;
      logger.error(`The changed TLS certificate is not used, the one before stays: ${reason}`);
    }
  };
  const look = async (): Promise<void> => {
    const seen = await stateOf(files);
    if (seen === lastSeen && seen !== judged) {
      judged = seen;
      await judge();
    }
    lastSeen = seen;
  };
  const schedule = (): void => {
    if (closed) return;
    timer = setTimeout(() => void look().finally(schedule), lookMs);
    timer.unref();
  };
  schedule();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** Differs when content, place or mode of one of them may. */
async function stateOf({ certFile, keyFile }: TlsConfiguration): Promise<string> {
  const states = await Promise.all(
    [certFile, keyFile].map(async (file) => {
      try {
        const { dev, ino, size, mtimeMs, ctimeMs } = await stat(file);
        return [dev, ino, size, mtimeMs, ctimeMs].join(":");
      } catch {
        return "absent";
      }
    }),
  );
  return states.join(" ");
}
