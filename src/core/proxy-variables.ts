/** A proxy as the environment names it. It may hold a name and a password, so the value is never shown. */
export interface ProxyVariable {
  /** The variable that names it, for messages. */
  name: string;
  value: string;
}

/** Which proxies there are for targets of each scheme, and what is reached without one. */
export interface ProxyVariables {
  http?: ProxyVariable | undefined;
  https?: ProxyVariable | undefined;
  /** `NO_PROXY`. */
  direct?: string | undefined;
}
