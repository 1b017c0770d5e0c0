import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { defaultConfigurationFile } from "../../config/default-configuration-file.ts";
import { loadConfiguration } from "../../config/load-configuration.ts";
import type { LoadOptions } from "../../config/load-configuration.ts";
import { readRateLimitRpm } from "../../config/rate-limit-variable.ts";
import { fingerprint, watchConfiguration } from "../../config/watch-configuration.ts";
import type { Configuration } from "../../core/configuration.ts";
import { toAppError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { StorageThread } from "../../storage/sqlite/storage-worker.ts";
import { killLivingGroups } from "../../upstream/process-group.ts";
import type { GlobalOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { changedSettings } from "./changed-settings.ts";
import { openServerSecretsOf } from "../open-server-secrets.ts";
import { createSecretReader } from "../secret-reader.ts";
import { createConfigurationState } from "./configuration-state.ts";
import type { ConfigurationRead } from "./configuration-state.ts";
import { createLogger } from "./create-logger.ts";
import { rememberTroubles } from "./remember-troubles.ts";
import type { StartOptions } from "./serve-options.ts";
import { startGateway } from "./start-gateway.ts";

/**
 * Runs the gateway in this process until a signal ends it.
 * @param thread for its storage, not opened yet
 * @param onReady told where it listens, once it does, and what went wrong until then without keeping it from starting
 * @throws AppError what keeps it from starting
 */
export async function serveForeground(
  options: StartOptions & GlobalOptions,
  context: Context,
  thread: StorageThread,
  onReady: (urls: readonly string[], troubles: readonly string[]) => void = () => undefined,
): Promise<void> {
  const { io, environment, directories, signal } = context;
  const doubts: string[] = [];
  const load: LoadOptions = {
    ...(options.config === undefined ? {} : { file: options.config }),
    configDir: options.configDir,
    environment,
    overrides: {
      host: options.host,
      port: options.port,
      auth: options.auth,
      externalUrl: options.externalUrl,
      insecureHttp: options.insecureHttp,
      rateLimitRpm: readRateLimitRpm(environment.rateLimitRpm),
    },
    onDoubt: (sentence) => doubts.push(sentence),
    readSecret: createSecretReader(context),
  };
  const file = resolve(options.config ?? defaultConfigurationFile(directories.config));
  const seen = fingerprint(file);
  const read: ConfigurationRead = { atMs: context.now(), text: undefined };
  const configuration = await loadConfiguration({ ...load, onText: (text) => (read.text = text) });
  const state = createConfigurationState(file, read);
  context.onForcedEnd(killLivingGroups);
  const { logger, troubles } = rememberTroubles(
    createLogger({
      write: (line) => {
        io.note(line, { always: true });
      },
      readable: io.stderrIsTerminal && !options.json,
      level: options.debug ? "debug" : options.quiet ? "warn" : "info",
    }),
  );
  const tellDoubts = (): void => {
    for (const doubt of doubts.splice(0)) logger.warn(doubt);
  };
  const gateway = await startGateway({
    configuration,
    file,
    stateDir: directories.state,
    development: environment.nodeEnv === "development",
    logger,
    thread,
    configurationStatus: () => state.status(),
    keptSecrets: () => openServerSecretsOf(context).names(),
  });
  let watch: { close(): void } | undefined;
  try {
    // A key ring that was locked at one time may be open at the next: it is asked anew.
    const reload = async (): Promise<Configuration> => {
      const now: ConfigurationRead = { atMs: context.now(), text: undefined };
      try {
        const changed = await loadConfiguration({
          ...load,
          readSecret: createSecretReader(context),
          onText: (text) => (now.text = text),
        });
        gateway.apply(changed);
        state.taken(now);
        return changed;
      } catch (error) {
        state.refused(now, error);
        throw error;
      }
    };
    watch = await watchFile({ path: file, seen, take: reload, tellDoubts }, configuration, logger);
    tellDoubts();
    if (configuration.servers.size === 0) {
      logger.warn(`No servers yet: name them under "mcpServers" in ${file}; saving it is enough`);
    }
    onReady(gateway.urls, troubles);
    await aborted(signal);
    logger.info("Ending: calls in flight get 5 s");
  } finally {
    watch?.close();
    await gateway.close();
  }
  logger.info("Ended");
}

/** Follows the file: a good one takes effect, a wrong one is complained about and changes nothing. */
async function watchFile(
  {
    path: file,
    seen,
    take,
    tellDoubts,
  }: {
    path: string;
    seen: string | undefined;
    /** Reads the file and puts it into effect. */
    take: () => Promise<Configuration>;
    tellDoubts: () => void;
  },
  first: Configuration,
  logger: Logger,
): Promise<{ close(): void }> {
  // The folder is what is watched, also before there is a file in it.
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  let reading = Promise.resolve();
  const reload = async (): Promise<void> => {
    try {
      const changed = await take();
      logger.info("The changed configuration is in effect", {
        file,
        servers: changed.servers.size,
      });
      tellDoubts();
      const waiting = changedSettings(first, changed);
      if (waiting.length > 0) {
        logger.warn(`Changed, but in effect only after a restart: ${waiting.join(", ")}`);
      }
    } catch (error) {
      const { code, message, hint } = toAppError(error);
      const is = code === "store_unavailable" ? "cannot be used" : "is wrong";
      logger.error(
        `The changed configuration ${is}, the one before stays: ${message}`,
        hint === undefined ? {} : { hint },
      );
    }
  };
  const onError = (error: unknown): void => {
    logger.error("The configuration file is not watched; a restart reads it again", {
      reason: error instanceof Error ? error.message : String(error),
    });
  };
  try {
    const onChange = (): void => {
      reading = reading.then(reload);
    };
    return watchConfiguration(file, onChange, { onError, seen });
  } catch (error) {
    // The system has no watch to give: no reason not to serve.
    onError(error);
    return { close: () => undefined };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener("abort", () => done(), { once: true });
  });
}
