import { setTimeout as delay } from "node:timers/promises";
import { abortReason } from "../../client/http-json.ts";
import type { Deadline } from "../../client/deadline.ts";
import type { UpstreamCounts } from "../../client/gateway-readiness.ts";
import type { ServerRow, ToolServer } from "../../client/tool-server.ts";
import { AppError } from "../../core/errors.ts";
import { systemErrorCode } from "../../core/system-error-code.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { closest } from "../../core/suggest.ts";
import { oneLine } from "../../core/terminal-text.ts";
import { isAboutSignIn, realSource, useServer, withServer } from "../calling/open-server.ts";
import type { CallingOptions, ServerSource } from "../calling/open-server.ts";
import type { CommandModule } from "../command.ts";
import { sameServer } from "../same-server.ts";
import { requireOwnGateway } from "../server-choice.ts";
import type { Context, Spinner } from "../context.ts";
import { jsonText } from "../render/json-text.ts";
import { serverRowJson, serverTable } from "../render/server-list.ts";

interface WaitOptions {
  server?: string | undefined;
}

/** Between two looks at the gateway, which is on this machine more often than not. */
const pollMs = 200;

export function createWait(source: ServerSource): CommandModule<WaitOptions> {
  return {
    options: {},
    positionals: [{ name: "server", describe: "Wait for this one (default: for all)" }],
    talksToServer: true,
    examples: [
      ["agent wait", "until every server is ready, or known to be unavailable"],
      [
        "agent wait everything && agent run everything/echo message=hello",
        "call as soon as it can be",
      ],
      ["agent wait --timeout 120", "give slow servers time"],
    ],
    /**
     * Prints the servers waited for, as `inspect` lists them; with `--json`:
     * `{servers: [{name, state, reason, toolCount, tags}]}`. A gateway tells a stranger only how many there
     * are; where no server is named, that is enough: `{upstreams: {total, ready, starting, unavailable}}`.
     */
    async run(options, context) {
      const { deadline } = context;
      let spinner = context.io.spin("Waiting for the gateway");
      try {
        const patient = patientSource(source, deadline);
        const settled = await untilReached<Settled>(deadline, () =>
          options.server === undefined
            ? allSettled(patient, options, context, spinner)
            : withServer(
                options,
                context,
                patient,
                (server) => {
                  spinner.stop();
                  spinner = context.io.spin("Waiting for the gateway");
                  return untilSettled(server, options, deadline, spinner);
                },
                () => {
                  spinner.stop();
                },
              ),
        );
        spinner.stop();
        await (settled.kind === "named"
          ? report(settled.rows, options, context)
          : reportCounts(settled.upstreams, options, context));
      } finally {
        spinner.stop();
      }
    },
  };
}

export const command = createWait(realSource);

/** What was waited for, when none of it is starting any more. */
type Settled =
  | { kind: "named"; rows: readonly ServerRow[] }
  | { kind: "counted"; upstreams: UpstreamCounts };

/**
 * Waits for every server: by name where a sign-in allows that, else by what the gateway tells everybody.
 * Nobody is asked to sign in for that.
 */
async function allSettled(
  source: ServerSource,
  options: WaitOptions & CallingOptions,
  context: Context,
  spinner: Spinner,
): Promise<Settled> {
  const { deadline } = context;
  const choice = await source.chooseServer(options, context);
  try {
    return await useServer(choice, options, context, source, (server) =>
      untilSettled(server, options, deadline, spinner),
    );
  } catch (error) {
    if (!isAboutSignIn(error)) throw error;
    for (;;) {
      const readiness = await source.readiness(choice.endpoint, deadline.signal);
      // No gateway, so that only a sign-in shows more.
      if (readiness === undefined) throw error;
      if (readiness.settled) return { kind: "counted", upstreams: readiness.upstreams };
      const { total, starting } = readiness.upstreams;
      spinner.update(`Waiting for ${starting} of ${total} servers`);
      try {
        await pause(deadline);
      } catch (end) {
        if (!(end instanceof AppError && end.code === "timeout")) throw end;
        throw stillStarting(`${starting} of ${total} servers`, deadline, end);
      }
    }
  }
}

/** A gateway that was only just started may not have written its runtime file yet, so that it is away. */
function patientSource(source: ServerSource, deadline: Deadline): ServerSource {
  return {
    ...source,
    chooseServer: (options, context) =>
      untilReached(
        deadline,
        async () => {
          const choice = await source.chooseServer(options, context);
          requireOwnGateway(choice, options, context);
          return choice;
        },
        "unreachable",
      ),
  };
}

/** Tries again while nobody is there; whoever answers wrongly will go on doing so. */
async function untilReached<T>(
  deadline: Deadline,
  attempt: () => Promise<T>,
  code?: "unreachable",
): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof AppError) || (error.code !== code && !isRefused(error))) throw error;
      try {
        await pause(deadline);
      } catch (end) {
        // That nobody is there says more than that time is over.
        throw end instanceof AppError ? error : end;
      }
    }
  }
}

function isRefused({ cause }: AppError): boolean {
  return systemErrorCode(cause) === "ECONNREFUSED";
}

async function pause({ signal }: Deadline): Promise<void> {
  try {
    await delay(pollMs, undefined, { signal });
  } catch {
    throw abortReason(signal);
  }
}

/** Looks again and again until no server asked for is starting. */
async function untilSettled(
  server: ToolServer,
  options: WaitOptions,
  deadline: Deadline,
  spinner: Spinner,
): Promise<Settled> {
  let starting: readonly string[] = [];
  for (;;) {
    try {
      const { servers } = await server.inventory();
      const rows = options.server === undefined ? servers : [rowNamed(options.server, servers)];
      starting = rows.filter(({ state }) => state === "starting").map(({ name }) => name);
      if (starting.length === 0) return { kind: "named", rows };
      spinner.update(`Waiting for ${shownNames(starting)}`);
      await pause(deadline);
    } catch (error) {
      if (!(error instanceof AppError && error.code === "timeout") || starting.length === 0)
        throw error;
      throw stillStarting(shownNames(starting), deadline, error);
    }
  }
}

function stillStarting(what: string, deadline: Deadline, cause: AppError): AppError {
  return new AppError("timeout", `Still starting after ${deadline.timeoutMs / 1000} s: ${what}`, {
    hint: "--timeout <seconds> allows more time",
    cause,
  });
}

function shownNames(names: readonly string[]): string {
  return oneLine(names.map((name) => quoteForShell(name)).join(", "));
}

function rowNamed(name: string, servers: readonly ServerRow[]): ServerRow {
  const row = servers.find((server) => server.name === name);
  if (row) return row;
  const meant = closest(
    name,
    servers.map((server) => server.name),
  );
  throw new AppError("not_found", `Unknown server ${JSON.stringify(oneLine(name, 120))}`, {
    hint:
      meant === undefined ? "agent inspect lists them" : `Did you mean ${quoteForShell(meant)}?`,
  });
}

async function reportCounts(
  upstreams: UpstreamCounts,
  options: CallingOptions,
  { io }: Context,
): Promise<void> {
  const { total, ready, unavailable } = upstreams;
  await io.out(
    options.format === "json"
      ? jsonText({ upstreams: { ...upstreams } }, io)
      : `${ready} of ${total} servers ready, ${unavailable} unavailable\n`,
  );
}

async function report(
  rows: readonly ServerRow[],
  options: WaitOptions & CallingOptions,
  { io }: Context,
): Promise<void> {
  if (options.format === "json") {
    await io.out(jsonText({ servers: rows.map((row) => serverRowJson(row)) }, io));
  } else if (rows.length > 0) {
    await io.out(serverTable(rows, io));
  }
  const [asked] = rows;
  if (options.server === undefined || asked === undefined || asked.state === "ready") return;
  const reason = asked.reason === undefined ? "" : `: ${oneLine(asked.reason)}`;
  const name = quoteForShell(asked.name);
  throw new AppError("upstream_unavailable", `${name} is unavailable${reason}`, {
    // It shows what the server wrote last; where to go from there is that command's to say.
    hint: `agent inspect ${name}${sameServer(options)}`,
  });
}
