import { isAbsolute, resolve } from "node:path";
import type { ServerConfiguration } from "../core/configuration.ts";
import { isLoopbackHost } from "../core/url.ts";
import { faultOfVisibleName, hasHidden } from "../core/visible-name.ts";
import { childEnvironment, isOwnVariable } from "./child-environment.ts";
import type { ConfigurationProblem, KeyPath } from "./configuration-problem.ts";
import type { WrittenServer } from "./configuration-schema.ts";
import { isUnfilled } from "./disabled-entries.ts";
import { toOfferedTools } from "./offered-tools.ts";
import { toServerAccess } from "./server-access.ts";

const defaultTimeoutSeconds = 120;
const onlyForStdio = ["args", "cwd", "env", "inheritEnv", "idleTimeout"] as const;
const onlyForUrl = ["headers", "forwardIdentity"] as const;
// RFC 9110 §5.1 token, and §5.5 field values without line breaks.
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;
const environmentName = /^[^=\0]+$/;

export interface ServerContext {
  environment: Readonly<Record<string, string | undefined>>;
  /** Folder of the configuration file, where relative `cwd`s start. */
  folder: string;
}

/** One `mcpServers` entry with its defaults, or what is wrong with it; `doubts` are allowed, and seldom meant. */
export function toServerConfiguration(
  name: string,
  written: WrittenServer,
  context: ServerContext,
): {
  server?: ServerConfiguration;
  problems: ConfigurationProblem[];
  doubts?: ConfigurationProblem[];
} {
  const path = ["mcpServers", name];
  const problems: ConfigurationProblem[] = [];
  const report = (key: KeyPath, reason: string, hint?: string): void => {
    problems.push({ path: [...path, ...key], reason, hint });
  };

  const nameFault = faultOfName(name);
  if (nameFault !== undefined) report([], nameFault);
  if (written.prefix !== undefined && hasHidden(written.prefix)) {
    report(["prefix"], "must not hold control or invisible characters");
  }
  const guarded = toServerAccess(name, written);
  const offered = toOfferedTools(name, written);
  const { access } = guarded;
  const doubts = [...guarded.doubts, ...offered.doubts];
  const common = {
    name,
    access,
    tags: written.tags ?? [],
    disabled: written.disabled ?? false,
    prefix: written.prefix ?? name,
    timeoutMs: Math.ceil((written.timeout ?? defaultTimeoutSeconds) * 1000),
    // A process for each client is more than anybody expects of one line in the file.
    connection: written.connection ?? (written.command === undefined ? "session" : "shared"),
    connectionWritten: written.connection !== undefined,
    tools: offered.tools,
    pin: written.pin ?? "off",
    ...(written.instructions === undefined ? {} : { instructions: written.instructions }),
  };

  const { command, url } = written;
  if (command !== undefined && url !== undefined) {
    report(["url"], "stands beside command; a server has one of them");
  } else if (command !== undefined) {
    if (written.type === "http" || written.type === "sse") {
      report(["type"], `"${written.type}" needs url, not command`);
    }
    for (const key of onlyForUrl) {
      if (written[key] !== undefined) report([key], "belongs to a server with url");
    }
    const env = written.env ?? {};
    const inheritEnv = written.inheritEnv ?? [];
    checkEnvironment(env, inheritEnv, report);
    const cwd = written.cwd;
    const server: ServerConfiguration = {
      ...common,
      type: "stdio",
      command,
      args: written.args ?? [],
      ...(cwd === undefined ? {} : { cwd: isAbsolute(cwd) ? cwd : resolve(context.folder, cwd) }),
      env: childEnvironment(context.environment, inheritEnv, env),
      ...(written.idleTimeout === undefined
        ? {}
        : { idleTimeoutMs: Math.ceil(written.idleTimeout * 1000) }),
    };
    return problems.length === 0 ? { server, problems, doubts } : { problems };
  } else if (url !== undefined) {
    if (written.type === "stdio") report(["type"], '"stdio" needs command, not url');
    for (const key of onlyForStdio) {
      if (written[key] !== undefined) report([key], "belongs to a server with command");
    }
    // What a disabled server lacks here, it lacks only once it is enabled.
    const fault = common.disabled && isUnfilled(url) ? undefined : faultOfUrl(url);
    if (fault !== undefined) report(["url"], fault.reason, fault.hint);
    const headers = written.headers ?? {};
    for (const [header, value] of Object.entries(headers)) {
      if (!headerName.test(header)) report(["headers", header], "is not a valid header name");
      else if (!headerValue.test(value)) {
        report(["headers", header], "the value holds characters that a header cannot carry");
      }
    }
    const forwardIdentity = written.forwardIdentity ?? false;
    if (
      forwardIdentity &&
      Object.keys(headers).some((header) => /^authorization$/iu.test(header))
    ) {
      report(["forwardIdentity"], "stands beside an Authorization header; a request carries one");
    }
    const type = written.type === "sse" ? "sse" : "http";
    if (problems.length > 0) return { problems };
    const server: ServerConfiguration = { ...common, type, url, headers, forwardIdentity };
    return { server, problems, doubts: [...doubts, ...doubtsOf(server, written, path)] };
  } else {
    report([], "needs command (a program to start) or url (a server that runs elsewhere)");
  }
  return { problems };
}

function doubtsOf(
  { disabled }: ServerConfiguration,
  { type, url = "", forwardIdentity = false }: WrittenServer,
  path: KeyPath,
): ConfigurationProblem[] {
  const doubts: ConfigurationProblem[] = [];
  if (!URL.canParse(url)) return doubts;
  const { protocol, hostname, pathname } = new URL(url);
  // Servers of the older transport have their stream at /sse as a rule, and others hardly ever anything.
  if (type === undefined && !disabled && /\/sse\/?$/u.test(pathname)) {
    const reason = 'ends in /sse; a server that speaks HTTP+SSE there needs "type": "sse"';
    doubts.push({ path: [...path, "url"], reason, hint: 'write that, or "type": "http"' });
  }
  if (forwardIdentity && protocol === "http:" && !isLoopbackHost(hostname)) {
    const reason = "sends who the caller is over the network in the clear";
    doubts.push({ path: [...path, "forwardIdentity"], reason, hint: "use https in url" });
  }
  return doubts;
}

function faultOfName(name: string): string | undefined {
  if (name.includes("/")) return "a server's name must not hold a /";
  return faultOfVisibleName(name, "server");
}

function faultOfUrl(url: string): { reason: string; hint?: string } | undefined {
  if (!URL.canParse(url)) return { reason: "is not a URL" };
  const { protocol, username, password } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") {
    return { reason: "must begin with http:// or https://" };
  }
  if (username !== "" || password !== "") {
    return { reason: "must not hold a user name or password", hint: "put them into headers" };
  }
  return undefined;
}

function checkEnvironment(
  env: Readonly<Record<string, string>>,
  inheritEnv: readonly string[],
  report: (key: KeyPath, reason: string) => void,
): void {
  const own = "ONEDOOR_ variables are never handed to a server";
  const invalid = "is not a name of an environment variable";
  for (const [name, value] of Object.entries(env)) {
    if (isOwnVariable(name)) report(["env", name], own);
    else if (!environmentName.test(name)) report(["env", name], invalid);
    else if (value.includes("\0")) report(["env", name], "the value holds a NUL character");
  }
  for (const [index, name] of inheritEnv.entries()) {
    if (isOwnVariable(name)) report(["inheritEnv", index], own);
    else if (!environmentName.test(name)) report(["inheritEnv", index], invalid);
  }
}
