/**
 * Keys of ours that somebody else's text may have: none of them lets anybody do more, or says what models are told of
 * the server or whether changes of it are noticed.
 */
export const keptKeys = ["tags", "prefix", "idleTimeout", "connection"] as const;

/** What is read, and what means the same in our configuration as where it is left out. All else is named. */
export const silentKeys: ReadonlySet<string> = new Set([
  ...keptKeys,
  "name",
  "type",
  "transport",
  "source",
  "command",
  "args",
  "cwd",
  "workingDirectory",
  "env",
  "env_vars",
  "inheritEnv",
  "url",
  "serverUrl",
  "httpUrl",
  "uri",
  "endpoint",
  "headers",
  "http_headers",
  "env_http_headers",
  "bearer_token_env_var",
  "tools",
  "enabled_tools",
  "disabled_tools",
  "disabledTools",
  "includeTools",
  "excludeTools",
  "disabled",
  "enabled",
  "description",
  "$schema",
]);
