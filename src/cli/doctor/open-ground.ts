import { defaultConfigurationFile } from "../../config/default-configuration-file.ts";
import { homeOf } from "../../config/home-of.ts";
import { loadConfiguration } from "../../config/load-configuration.ts";
import { timeLimit } from "../../core/time-limit.ts";
import { configuredSecrets } from "../../core/configured-secrets.ts";
import { createKeychainStore } from "../../profiles/keychain-store.ts";
import { surveyKeyRing } from "../../profiles/survey-key-ring.ts";
import { chooseConfigurationFile } from "../configuration/choose-configuration-file.ts";
import type { Context } from "../context.ts";
import { askConfigurationOf } from "../configuration/gateway-configuration.ts";
import { findGateway } from "../serve/find-gateway.ts";
import type { Ground } from "./ground.ts";
import { shellPath } from "./shell-path.ts";

/** In place of a secret, whose value no rule of the configuration asks for but by its length. */
const placeholder = "x".repeat(64);

/** For one that lives and does not answer: several checks wait for it. */
const gatewayMs = 4_000;

export async function openGround(context: Context): Promise<Ground> {
  const { directories, environment, secrets, deadline } = context;
  const survey = await surveyKeyRing(directories.config);
  const home = homeOf(environment);
  const configurationFile = once(async () => {
    const config = environment.all["ONEDOOR_CONFIG"] || undefined;
    // Which one it is, a check says; what else there is to say, too.
    const silent = { ...context, io: { ...context.io, note: () => undefined } };
    return (await chooseConfigurationFile({ config }, silent)).file;
  });
  const gateway = once(() => findGateway(directories.state, timeLimit(gatewayMs, deadline.signal)));
  return {
    context,
    survey,
    configurationFile,
    gateway,
    gatewayConfiguration: once(async () => {
      const state = await gateway();
      if (state.kind !== "running") return undefined;
      const limit = timeLimit(gatewayMs, deadline.signal);
      return askConfigurationOf(state.record, context, limit)().catch(() => undefined);
    }),
    configuration: once(async () => {
      const configuration = await loadConfiguration({
        file: named(await configurationFile(), directories.config),
        configDir: directories.config,
        environment,
        // What the gateway's own command line says is not known here.
        overrides: { insecureHttp: true },
        readSecret: (name) =>
          Promise.resolve(survey.serverSecrets.includes(name) ? placeholder : undefined),
      });
      for (const secret of configuredSecrets(configuration.servers.values(), configuration.auth)) {
        secrets.add(secret);
      }
      return configuration;
    }),
    keychain: once(() =>
      Promise.resolve(
        createKeychainStore({
          configDir: directories.config,
          sessionBus: environment.sessionBus,
          report: () => undefined,
        }),
      ),
    ),
    shellPath: (path) => shellPath(path, home),
  };
}

/** Undefined for the default file, which need not be there. */
function named(file: string, configDir: string): string | undefined {
  return file === defaultConfigurationFile(configDir) ? undefined : file;
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let begun: Promise<T> | undefined;
  return () => (begun ??= work());
}
