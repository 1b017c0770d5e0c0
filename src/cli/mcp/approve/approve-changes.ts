import type { AdministrationClient } from "../../../client/administration-client.ts";
import type { ServerChanges } from "../../../client/administration-answers.ts";
import { AppError } from "../../../core/errors.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import { splitTarget } from "../../../core/target.ts";
import type { Target } from "../../../core/target.ts";
import { withAdministration } from "../../administration/administration-access.ts";
import { askYesNo } from "../../ask-line.ts";
import type { GlobalOptions, ServerOptions } from "../../command.ts";
import type { Context } from "../../context.ts";
import { hasPerson } from "../../has-person.ts";
import { jsonText } from "../../render/json-text.ts";
import { changeTarget, changeWords, pendingChangesPage } from "../../render/pending-changes.ts";
import { sameServer } from "../../same-server.ts";
import type { AuthDependencies } from "../../sign-in/dependencies.ts";

export interface ApproveOptions {
  target?: string | undefined;
  hash?: string | undefined;
  /** However long it is, what is there now is shown. */
  all?: boolean | undefined;
}

type Options = ApproveOptions & GlobalOptions & ServerOptions;

/** @throws AppError `usage`: nobody was asked, or what waits has changed again; as `AdministrationClient` */
export async function approveChanges(
  options: Options,
  context: Context,
  dependencies: AuthDependencies,
): Promise<void> {
  const { target, hash } = options;
  if (hash !== undefined && !/^[\da-f]{64}$/u.test(hash)) {
    throw new AppError("usage", "--hash is no hash of a change", {
      hint: "agent mcp approve <target> prints it",
    });
  }
  if (hash !== undefined && target === undefined) {
    throw new AppError("usage", "--hash needs the server, or the tool, whose hash it is", {
      hint: `agent mcp approve <target> --hash ${hash}`,
    });
  }
  const named = target === undefined ? undefined : splitTarget(target);
  await withAdministration(options, context, dependencies, async (client) => {
    if (named === undefined) await showAll(await client.allChanges(), options, context);
    else if (hash === undefined) await showAndAsk(client, named, options, context);
    else await approve(client, named, hash, options, context);
  });
}

async function showAll(
  servers: readonly ServerChanges[],
  { format }: Options,
  { io }: Context,
): Promise<void> {
  if (format === "json") {
    await io.out(jsonText(servers, io));
    return;
  }
  if (servers.length === 0) io.note("Nothing waits for an approval", { always: true });
  for (const { server, changes } of servers) {
    const lines = changes.map(
      (change) => `  ${changeTarget(server, change)}: ${changeWords(change)}\n`,
    );
    await io.out(`agent mcp approve ${quoteForShell(server)}\n${lines.join("")}`);
  }
}

async function showAndAsk(
  client: AdministrationClient,
  target: Target,
  options: Options,
  context: Context,
): Promise<void> {
  const { io } = context;
  const all = await client.changes(target.server, target.tool);
  const found = chosen(all, target);
  const isJson = options.format === "json";
  if (isJson) await io.out(jsonText(found, io));
  const name = quoteForShell(shownTarget(target));
  if (found.hash === null) {
    io.note(`Nothing of ${name} waits for an approval`, { always: true });
    return;
  }
  const count = found.changes.length;
  const waiting = count === 1 ? "One change waits" : `${count} changes wait`;
  if (!isJson) {
    const { text, notShown } = await pendingChangesPage(found.server, found.changes, options);
    await io.out(text);
    if (notShown !== undefined) {
      throw new AppError("usage", `${waiting}; ${notShown} NOT shown; nothing was approved`, {
        hint: `agent mcp approve ${name} --all${sameServer(options)}`,
      });
    }
  }
  // Who is asked must have seen it.
  if (isJson || !io.stdoutIsTerminal || !hasPerson(context)) {
    throw new AppError("usage", `${waiting} for an approval; nothing was approved`, {
      hint: `agent mcp approve ${name} --hash ${found.hash}${sameServer(options)}`,
    });
  }
  const question = count === 1 ? "Approve this change?" : `Approve these ${count} changes?`;
  if (await askYesNo(question, false, context)) {
    await approve(client, target, found.hash, options, context);
  } else {
    io.note("Nothing was approved", { always: true });
  }
}

/** What waits of the target, and the hash that names it. */
function chosen(all: ServerChanges, { tool }: Target): ServerChanges {
  if (tool === undefined) return all;
  const changes = all.changes.filter((change) => change.tool === tool);
  return { ...all, changes, hash: changes[0]?.hash ?? null };
}

async function approve(
  client: AdministrationClient,
  { server, tool }: Target,
  hash: string,
  { format }: Options,
  { io }: Context,
): Promise<void> {
  const done = await client.approve(server, { ...(tool !== undefined && { tool }), hash });
  if (format === "json") {
    await io.out(jsonText(done, io));
    return;
  }
  const lines = done.approved.map((one) => `Approved ${changeTarget(server, one)}\n`);
  await io.out(lines.join(""));
}

function shownTarget({ server, tool }: Target): string {
  return tool === undefined ? server : `${server}/${tool}`;
}
