/** The environment twins the contract names, and what the terminal asks for. */
export interface Environment {
  url: string | undefined;
  token: string | undefined;
  profile: string | undefined;
  configDir: string | undefined;
  store: string | undefined;
  timeout: string | undefined;
  format: string | undefined;
  caCert: string | undefined;
  config: string | undefined;
  host: string | undefined;
  port: string | undefined;
  externalUrl: string | undefined;
  auth: string | undefined;
  rateLimitRpm: string | undefined;
  clientName: string | undefined;
  sessionId: string | undefined;
  nodeEnv: string | undefined;
  /** Address of the D-Bus session bus (Linux: the way to the keychain). */
  sessionBus: string | undefined;
  /** CI, NO_COLOR or TERM=dumb is set. */
  plainOutput: boolean;
  /** Every variable, for `${NAME}` in the configuration and for what upstream processes inherit. */
  all: Readonly<Record<string, string | undefined>>;
}

/** An empty variable counts as not set. The only place that knows the variables' names. */
export function readEnvironment(all: Readonly<Record<string, string | undefined>>): Environment {
  const get = (name: string): string | undefined => all[name] || undefined;
  return {
    url: get("ONEDOOR_URL"),
    token: get("ONEDOOR_TOKEN"),
    profile: get("ONEDOOR_PROFILE"),
    configDir: get("ONEDOOR_CONFIG_DIR"),
    store: get("ONEDOOR_STORE"),
    timeout: get("ONEDOOR_TIMEOUT"),
    format: get("ONEDOOR_FORMAT"),
    caCert: get("ONEDOOR_CACERT"),
    config: get("ONEDOOR_CONFIG"),
    host: get("ONEDOOR_HOST"),
    port: get("ONEDOOR_PORT"),
    externalUrl: get("ONEDOOR_EXTERNAL_URL"),
    auth: get("ONEDOOR_AUTH"),
    rateLimitRpm: get("ONEDOOR_RATE_LIMIT_RPM"),
    clientName: get("ONEDOOR_CLIENT_NAME"),
    sessionId: get("ONEDOOR_SESSION_ID"),
    nodeEnv: get("NODE_ENV"),
    sessionBus:
      get("DBUS_SESSION_BUS_ADDRESS") ??
      (get("XDG_RUNTIME_DIR") && `unix:path=${get("XDG_RUNTIME_DIR")}/bus`),
    plainOutput: Boolean(all["CI"] || all["NO_COLOR"] || all["TERM"] === "dumb"),
    all,
  };
}
