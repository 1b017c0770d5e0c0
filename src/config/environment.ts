/**
 * What is asked of the environment outside the parser, which reads the twins of options from `all` by the
 * names that stand at the options (`OptionSpec.env`).
 */
export interface Environment {
  url: string | undefined;
  token: string | undefined;
  profile: string | undefined;
  configDir: string | undefined;
  clientName: string | undefined;
  sessionId: string | undefined;
  nodeEnv: string | undefined;
  /** In place of `rateLimit.rpm`, as it is written: no option has it as its twin. */
  rateLimitRpm: string | undefined;
  /** Address of the D-Bus session bus (Linux: the way to the keychain). */
  sessionBus: string | undefined;
  /** CI, NO_COLOR or TERM=dumb is set. */
  plainOutput: boolean;
  /**
   * Every variable: for the twins of options, for `${NAME}` in the configuration, and for what upstream
   * processes inherit.
   */
  all: Readonly<Record<string, string | undefined>>;
}

/** An empty variable counts as not set. */
export function readEnvironment(all: Readonly<Record<string, string | undefined>>): Environment {
  const get = (name: string): string | undefined => all[name] || undefined;
  return {
    url: get("ONEDOOR_URL"),
    token: get("ONEDOOR_TOKEN"),
    profile: get("ONEDOOR_PROFILE"),
    configDir: get("ONEDOOR_CONFIG_DIR"),
    clientName: get("ONEDOOR_CLIENT_NAME"),
    sessionId: get("ONEDOOR_SESSION_ID"),
    nodeEnv: get("NODE_ENV"),
    rateLimitRpm: get("ONEDOOR_RATE_LIMIT_RPM"),
    sessionBus:
      get("DBUS_SESSION_BUS_ADDRESS") ??
      (get("XDG_RUNTIME_DIR") && `unix:path=${get("XDG_RUNTIME_DIR")}/bus`),
    plainOutput: Boolean(all["CI"] || all["NO_COLOR"] || all["TERM"] === "dumb"),
    all,
  };
}
