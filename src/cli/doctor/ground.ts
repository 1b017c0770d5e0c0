import type { ConfigurationAnswer } from "../../client/administration-answers.ts";
import type { Configuration } from "../../core/configuration.ts";
import type { Keychain } from "../../profiles/keychain-store.ts";
import type { KeyRingSurvey } from "../../profiles/survey-key-ring.ts";
import type { Context } from "../context.ts";
import type { GatewayState } from "../serve/find-gateway.ts";

/** What checks look at together. Each is found out once, at its first use. */
export interface Ground {
  readonly context: Context;
  /** The key ring's files, as they are. */
  readonly survey: KeyRingSurvey;
  /** This user's gateway. */
  readonly gateway: () => Promise<GatewayState>;
  /** The file that the gateway runs with, or would start with. */
  readonly configurationFile: () => Promise<string>;
  /** @throws AppError as `loadConfiguration` does */
  readonly configuration: () => Promise<Configuration>;
  /** What the running gateway says of the file; undefined: none runs, or it does not say. */
  readonly gatewayConfiguration: () => Promise<ConfigurationAnswer | undefined>;
  readonly keychain: () => Promise<Keychain>;
  /** A path for a shell, `~` standing for the home directory. */
  readonly shellPath: (path: string) => string;
}
