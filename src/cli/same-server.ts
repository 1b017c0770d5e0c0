import { quoteForShell } from "../core/shell-quote.ts";
import type { ServerOptions } from "./command.ts";

/** What has to be repeated on the command lines that we suggest: ` --url …`, or nothing. */
export function sameServer(options: Omit<ServerOptions, "token">): string {
  const url = options.url === undefined ? "" : ` --url ${quoteForShell(options.url)}`;
  const profile =
    options.profile === undefined ? "" : ` --profile ${quoteForShell(options.profile)}`;
  const cacert = options.cacert === undefined ? "" : ` --cacert ${quoteForShell(options.cacert)}`;
  const insecure = options.insecure === true ? " --insecure" : "";
  return `${url}${profile}${options.insecureHttp === true ? " --insecure-http" : ""}${cacert}${insecure}`;
}
