import { AppError } from "../core/errors.ts";
import type { ProxyVariable, ProxyVariables } from "../core/proxy-variables.ts";
import { isThisMachine } from "../core/url.ts";
import { isDirect } from "./no-proxy.ts";

/** The proxy that a question goes through. */
export interface Proxy {
  /** Scheme, host and port: what connections are made to and what messages show. */
  origin: string;
  /** The value of `Proxy-Authorization` (RFC 7617); absent when the environment names no one. */
  authorization?: string | undefined;
  /** The variable that names it. */
  variable: string;
}

/**
 * The proxy for a target, as the environment names it; undefined when it is reached without one, as everything on
 * this machine always is.
 * @throws AppError `usage` when the variable that counts names none that can be used; its value is not repeated
 */
export function chooseProxy(target: URL, variables: ProxyVariables): Proxy | undefined {
  const variable = target.protocol === "https:" ? variables.https : variables.http;
  if (variable === undefined || isThisMachine(target.hostname)) return undefined;
  if (variables.direct !== undefined && isDirect(target, variables.direct)) return undefined;
  return read(variable);
}

/** All that must not be shown of the proxies that the environment names. */
export function proxySecrets(variables: ProxyVariables): string[] {
  return [variables.http, variables.https].flatMap((variable) => {
    if (variable === undefined) return [];
    const text = variable.value.replace(scheme, "");
    // What stands before the last @ was meant for no other eyes, whatever ends the authority before it.
    return [/^([^/\\?#]*)@/u, /^(.*)@/su].flatMap((before) => {
      const written = before.exec(text)?.[1];
      if (written === undefined) return [];
      const [, password = ""] = /:(.*)$/su.exec(written) ?? [];
      const { name, password: meant } = credentialsOf(written);
      return [written, password, meant, encoded(name, meant)];
    });
  });
}

const scheme = /^\s*[a-z][a-z\d+.-]*:\/\//iu;

function read({ name: variable, value }: ProxyVariable): Proxy {
  const text = value.trim();
  const url = scheme.test(text) ? text : `http://${text}`;
  // A password with one of / \ ? # ends the authority: what stands before it would be taken for the host.
  if (/^[/\\?#].*@/su.test(url.replace(scheme, "").replace(/^[^/\\?#]*/u, ""))) {
    throw new AppError("usage", `${variable} holds an @ behind its host`, {
      hint: "Where that is the name or the password: percent-encode it (/ is %2F, # is %23, ? is %3F)",
    });
  }
  const hint = `${variable}=http://<host>:<port>, or https://; NO_PROXY=<host> goes to a host without it`;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || parsed.hostname === "")
    throw new AppError("usage", `${variable} holds no address of a proxy`, { hint });
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") {
    const message = `${variable} names a proxy of another kind (${parsed.protocol}//) than HTTP`;
    throw new AppError("usage", message, { hint });
  }
  const { name, password } = credentialsOf(/^[^/]*\/\/([^/?#]*)@/u.exec(url)?.[1] ?? "");
  const shows = name !== "" || password !== "";
  return {
    origin: parsed.origin,
    ...(shows && { authorization: `Basic ${encoded(name, password)}` }),
    variable,
  };
}

/** `user:password` as a URL writes them, percent-encoded where they must be. */
function credentialsOf(written: string): { name: string; password: string } {
  const [, name = "", password = ""] = /^([^:]*):?(.*)$/su.exec(written) ?? [];
  return { name: decoded(name), password: decoded(password) };
}

/** What is no encoding is meant as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function encoded(name: string, password: string): string {
  return Buffer.from(`${name}:${password}`).toString("base64");
}
