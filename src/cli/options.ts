import type { OptionSpec } from "./command.ts";

/** What every command takes (contract §1). */
export const globalOptions = {
  configDir: {
    type: "string",
    alias: "d",
    placeholder: "<folder>",
    describe: "Keep configuration, profiles and state below this folder",
    env: "ONEDOOR_CONFIG_DIR",
  },
  format: {
    type: "string",
    choices: ["text", "json"],
    describe: "Form of the result",
    default: "text",
    env: "ONEDOOR_FORMAT",
  },
  json: { type: "boolean", describe: "--format json, and errors as one JSON line on stderr" },
  quiet: {
    type: "boolean",
    alias: "q",
    describe: "No notes and no progress on stderr, but for what concerns secrets",
  },
  timeout: {
    type: "number",
    placeholder: "<seconds>",
    describe: "Give up after this long (default: 30, calls of tools 120)",
    env: "ONEDOOR_TIMEOUT",
  },
  debug: { type: "boolean", describe: "Show the stack of an unexpected failure" },
  help: { type: "boolean", alias: "h", describe: "Show this help" },
  version: { type: "boolean", alias: "V", describe: "Show the version" },
} as const satisfies Record<string, OptionSpec>;

/**
 * What every command takes that talks to a server. Their environment twins are not filled in by the
 * parser: who wins, and for which server, is the command's decision (contract §2).
 */
export const serverOptions = {
  url: {
    type: "string",
    alias: "u",
    placeholder: "<url>",
    describe: "The server (default: the running gateway, else the default profile's server)",
    env: "ONEDOOR_URL",
  },
  profile: {
    type: "string",
    placeholder: "<name>",
    describe: "Which of several profiles for this server",
    env: "ONEDOOR_PROFILE",
  },
  token: {
    type: "string",
    alias: "t",
    placeholder: "<token>",
    describe: "Bearer token; other users can see it in `ps`, a pipe or ONEDOOR_TOKEN hides it",
  },
  insecureHttp: {
    type: "boolean",
    describe: "Take plain http to another machine, which shows the token to the network",
  },
  cacert: {
    type: "string",
    placeholder: "<file>",
    describe: "Trust the certificate authorities in this file (PEM) as well",
    env: "ONEDOOR_CACERT",
  },
  insecure: {
    type: "boolean",
    describe: "Take any certificate of this server: shows the token to who stands in between",
  },
} as const satisfies Record<string, OptionSpec>;

/** Which of a gateway's servers a command is about; `src/cli/selection/` reads them. */
export const selectionOptions = {
  preset: {
    type: "string",
    placeholder: "<name>",
    describe: "Only the servers of this preset (agent preset list)",
  },
  tags: {
    type: "array",
    placeholder: "<a,b>",
    describe: "Only servers that have one of these tags",
  },
  filter: {
    type: "string",
    placeholder: "<expression>",
    describe: 'Only servers whose tags fit: "web and not (beta or slow)"',
    onlyOne: "Join them: --filter '(…) and (…)'",
  },
  allServers: { type: "boolean", describe: "Every server, whatever .onedoorrc chooses" },
} as const satisfies Record<string, OptionSpec>;

/** Of a command about a saved profile, to which no token from elsewhere is of use. */
export const keyRingOptions = {
  url: serverOptions.url,
  profile: serverOptions.profile,
  insecureHttp: serverOptions.insecureHttp,
  cacert: serverOptions.cacert,
  insecure: serverOptions.insecure,
} as const satisfies Record<string, OptionSpec>;

/** `configDir` is written `--config-dir`. */
export function flagOf(key: string): string {
  return key.replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
}
