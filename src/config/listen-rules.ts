import type { AuthConfiguration, Configuration } from "../core/configuration.ts";
import { isLoopbackHost } from "../core/url.ts";
import type { ConfigurationProblem } from "./configuration-problem.ts";

type Listening = Pick<
  Configuration,
  "host" | "externalUrl" | "allowedHosts" | "allowedOrigins" | "auth" | "tls" | "trustedProxies"
>;

/**
 * What must hold together before the gateway listens (contract §4): nobody else on the network without
 * https, its own or in front, and `none` only where nobody else can reach it.
 */
export function listenProblems(
  { host, externalUrl, allowedHosts, allowedOrigins, auth, tls, trustedProxies }: Listening,
  insecureHttp: boolean,
): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  const loopback = isLoopbackHost(host);
  const external = externalUrl === undefined ? undefined : parseExternalUrl(externalUrl);
  if (external?.problem !== undefined) {
    problems.push({ path: ["externalUrl"], reason: external.problem });
  } else if (external?.url?.protocol === "http:" && !isLoopbackHost(external.url.hostname)) {
    if (!insecureHttp) {
      problems.push({
        path: ["externalUrl"],
        reason: "must begin with https://, or tokens would cross the network in the clear",
        hint: "use https, or --insecure-http when the network is yours alone",
      });
    }
  }
  const isOpen = auth.some(({ type }: AuthConfiguration) => type === "none");
  if (isOpen) {
    const refuse = (reason: string, instead: string): void => {
      const hint = `${instead}, or take "local" or another type, with tls or an https externalUrl`;
      problems.push({ path: ["auth"], reason, hint });
    };
    if (!loopback) refuse('"none" is only for a loopback host', "listen on 127.0.0.1");
    if (externalUrl !== undefined) {
      refuse('"none" cannot stand beside externalUrl', "leave externalUrl out");
    }
    if (trustedProxies.length > 0) {
      refuse('"none" cannot stand beside trustedProxies', "leave trustedProxies out");
    }
  }
  // With "none" neither https nor its absence would make the host right.
  if (!isOpen && !loopback && !insecureHttp && !tls && external?.url?.protocol !== "https:") {
    problems.push({
      path: ["host"],
      reason: `${host} is reachable from other machines, which needs tls or an https externalUrl`,
      hint: "set tls, or externalUrl to the https address of the proxy in front, or use --insecure-http",
    });
  }
  for (const [index, name] of allowedHosts.entries()) {
    if (!isHost(name)) {
      problems.push({
        path: ["allowedHosts", index],
        reason: "is not a host name, with or without a port",
      });
    }
  }
  for (const [index, origin] of allowedOrigins.entries()) {
    if (!isOrigin(origin)) {
      problems.push({
        path: ["allowedOrigins", index],
        reason: "is not an origin: scheme and host, as in https://app.example.com",
      });
    }
  }
  return problems;
}

function parseExternalUrl(text: string): { url?: URL; problem?: string } {
  if (!URL.canParse(text)) return { problem: "is not a URL" };
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return { problem: "must begin with https://" };
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    return { problem: "must hold no user name, query or fragment" };
  }
  return { url };
}

function isHost(name: string): boolean {
  if (!URL.canParse(`http://${name}`)) return false;
  const url = new URL(`http://${name}`);
  return url.pathname === "/" && url.username === "" && !/[/?#@\s]/.test(name);
}

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, origin } = new URL(text);
  if (protocol !== "http:" && protocol !== "https:") return false;
  return origin === text.toLowerCase();
}
