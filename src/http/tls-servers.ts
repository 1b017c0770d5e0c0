import type { RequestListener, Server, ServerOptions } from "node:http";
import type { TlsConfiguration } from "../core/configuration.ts";
import type { Logger } from "../core/logger.ts";
import type { TlsMaterial } from "../core/tls-material.ts";
import { answerPlainHttp } from "./answer-client-error.ts";
import { createTlsServer } from "./create-tls-server.ts";
import type { TlsServer } from "./create-tls-server.ts";
import { keepCertificate } from "./keep-certificate.ts";

export interface TlsServersOptions {
  /** Reads the files of `tls`, at the start and when they have changed. @throws AppError `config_invalid` */
  readTls: (files: TlsConfiguration) => Promise<TlsMaterial>;
  /**
   * Told the fingerprints of the certificates that may be shown from then on, before another is shown for the first
   * time, and once the one before is shown no more.
   */
  onCertificates?: ((fingerprints: readonly string[]) => Promise<void>) | undefined;
  /** How often to look whether the files have changed, in milliseconds. */
  certificateLookMs?: number | undefined;
  logger: Logger;
}

/** Servers that show the certificate in the files, also after it was replaced there. */
export interface TlsServers {
  /** Of the certificate that is shown, as `onCertificates` tells them. */
  readonly certificates: readonly string[];
  create(options: ServerOptions, listener: RequestListener): Server;
  /** Ends connections that have not come as far as a request could. */
  closeUnfinished(): void;
  /** Looks at the files no more. */
  close(): void;
}

/** @throws AppError `config_invalid` when the files are no certificate and its key */
export async function createTlsServers(
  files: TlsConfiguration,
  { readTls, onCertificates, certificateLookMs, logger }: TlsServersOptions,
): Promise<TlsServers> {
  let material = await readTls(files);
  const servers: TlsServer[] = [];
  /** That local programs cannot be told must not keep an old certificate in use. */
  const tellOf = async (fingerprints: readonly string[]): Promise<void> => {
    try {
      await onCertificates?.(fingerprints);
    } catch (error) {
      logger.warn("The commands on this machine were not told of the changed TLS certificate", {
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  };
  const kept = keepCertificate({
    files,
    read: readTls,
    first: material,
    logger,
    now: Date.now,
    lookMs: certificateLookMs,
    async use(next, before) {
      await tellOf([next.fingerprint, before.fingerprint]);
      for (const tls of servers) tls.use(next);
      material = next;
      await tellOf([next.fingerprint]);
    },
  });
  return {
    get certificates() {
      return [material.fingerprint];
    },
    create(options, listener) {
      const tls = createTlsServer(material, options, listener, answerPlainHttp);
      servers.push(tls);
      return tls.server;
    },
    closeUnfinished() {
      for (const tls of servers) tls.closeUnfinished();
    },
    close: () => kept.close(),
  };
}
