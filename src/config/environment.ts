import type { ProxyVariable, ProxyVariables } from "../core/proxy-variables.ts";

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
  /** CI is set: whoever seems to sit at a terminal is a program. */
  ci: boolean;
  /** File of certificate authorities to trust beside Node's own: the twin of `--cacert`. */
  cacert: string | undefined;
  /** `NODE_EXTRA_CA_CERTS`, which Node follows by itself only where it chooses the authorities alone. */
  extraAuthorities: string | undefined;
  proxies: ProxyVariables;
  /** The way to a browser. */
  browser: {
    /** What BROWSER says: a program, or whatever else people write there. */
    named: string | undefined;
    /** Whether there is a screen on which a program can show itself (where that takes a variable). */
    screen: boolean;
    /** Windows: the folder of the system's own programs. */
    systemRoot: string | undefined;
  };
  /** What the terminal says of itself. */
  terminal: {
    type: string | undefined;
    program: string | undefined;
    kittyWindow: boolean;
    /** tmux or screen is between. */
    multiplexer: boolean;
  };
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
    ci: Boolean(all["CI"]),
    cacert: get("ONEDOOR_CACERT"),
    extraAuthorities: get("NODE_EXTRA_CA_CERTS"),
    proxies: readProxies(get),
    browser: {
      named: get("BROWSER"),
      screen: Boolean(get("DISPLAY") ?? get("WAYLAND_DISPLAY")),
      systemRoot: get("SystemRoot"),
    },
    terminal: {
      type: get("TERM"),
      program: get("TERM_PROGRAM"),
      kittyWindow: Boolean(get("KITTY_WINDOW_ID")),
      multiplexer: Boolean(get("TMUX") ?? get("STY")),
    },
    plainOutput: Boolean(all["CI"] || all["NO_COLOR"] || all["TERM"] === "dumb"),
    all,
  };
}

/**
 * The variables of curl: in lower or upper case, the former wins. Where a server runs us for a request
 * (`REQUEST_METHOD`), `HTTP_PROXY` is what the request's `Proxy` header says, and does not count.
 */
function readProxies(get: (name: string) => string | undefined): ProxyVariables {
  const first = (...names: readonly string[]): ProxyVariable | undefined => {
    for (const name of names) {
      const value = get(name);
      if (value !== undefined) return { name, value };
    }
    return undefined;
  };
  const forHttp = get("REQUEST_METHOD") === undefined ? ["HTTP_PROXY"] : [];
  return {
    https: first("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
    http: first("http_proxy", ...forHttp, "all_proxy", "ALL_PROXY"),
    direct: get("no_proxy") ?? get("NO_PROXY"),
  };
}
