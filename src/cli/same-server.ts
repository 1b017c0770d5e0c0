import { quoteForShell } from "../core/shell-quote.ts";
import type { ServerOptions } from "./command.ts";
import type { SelectionOptions } from "./selection/chosen-servers.ts";

/** What has to be repeated on the command lines that we suggest: ` --url …`, or nothing. */
export function sameServer(options: Omit<ServerOptions, "token">): string {
  const url = options.url === undefined ? "" : ` --url ${quoteForShell(options.url)}`;
  const profile =
    options.profile === undefined ? "" : ` --profile ${quoteForShell(options.profile)}`;
  const cacert = options.cacert === undefined ? "" : ` --cacert ${quoteForShell(options.cacert)}`;
  const insecure = options.insecure === true ? " --insecure" : "";
  return `${url}${profile}${options.insecureHttp === true ? " --insecure-http" : ""}${cacert}${insecure}`;
}

/** The same of a choice of servers: ` --preset …`, or nothing. */
export function sameSelection(options: SelectionOptions): string {
  const { preset, tags = [], filter, allServers } = options;
  return [
    ...(preset === undefined ? [] : [` --preset ${quoteForShell(preset)}`]),
    ...(tags.length === 0 ? [] : [` --tags ${quoteForShell(tags.join(","))}`]),
    ...(filter === undefined ? [] : [` --filter ${quoteForShell(filter)}`]),
    ...(allServers === true ? [" --all-servers"] : []),
  ].join("");
}
