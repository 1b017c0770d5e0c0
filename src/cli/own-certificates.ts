import { isLoopbackHost, parseServerUrl } from "../core/url.ts";
import type { ExpectedCertificates } from "../runtime/pinned-agent.ts";
import { readRuntimeFile } from "../runtime/runtime-file.ts";

/**
 * Where this user's own gateway runs, its certificate and no other: one that nobody but the gateway made is as
 * good there as any, and one that somebody else can get is not. Everywhere else Node's own trust decides.
 */
export function ownCertificates(stateDir: string): ExpectedCertificates {
  return async ({ hostname, port }) => {
    const host = hostname.includes(":") ? `[${hostname.replace(/^\[|\]$/gu, "")}]` : hostname;
    const address = `https://${host}:${port}`;
    // What is no address of a server is none of ours: who connects says what is wrong with it.
    if (!isLoopbackHost(hostname) || !URL.canParse(address)) return undefined;
    const { canonical } = parseServerUrl(address);
    const state = await readRuntimeFile(stateDir);
    if (state.kind !== "running") return undefined;
    const { url, certificates } = state.record;
    return parseServerUrl(url).canonical === canonical ? certificates : undefined;
  };
}
