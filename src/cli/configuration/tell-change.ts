import type { OpenConfiguration } from "../../config/edit-configuration.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { readRuntimeFile } from "../../runtime/runtime-file.ts";
import type { Context, Io } from "../context.ts";
import { inLine } from "../render/foreign-text.ts";
import { runningGateway } from "../running-gateway.ts";
import type { ConfigurationVerdict } from "./await-configuration.ts";
import type { ChosenConfigurationFile } from "./choose-configuration-file.ts";

/** What became of a change, for `--json`; `unknown`: the gateway has not said so in time. */
export type GatewayOutcome = ConfigurationVerdict["kind"] | "not running";

/**
 * Says which file was changed, and what the running gateway made of it, or what makes it count where none runs. The
 * change stands in the file either way, so that a gateway refuses it is a warning.
 * @param opened after its `save`
 * @param isChanged false: it was so before; only a gateway that keeps an earlier configuration is told of then
 */
export async function tellChange(
  { file, origin, gatewayRuns }: ChosenConfigurationFile,
  opened: Pick<OpenConfiguration, "fingerprint">,
  context: Context,
  {
    isChanged = true,
    dependencies = { readRuntimeFile },
  }: { isChanged?: boolean; dependencies?: { readRuntimeFile: typeof readRuntimeFile } } = {},
): Promise<GatewayOutcome> {
  const { io } = context;
  const savedAtMs = context.now();
  const say = (next: string): void => {
    if (isChanged) io.note(`Changed ${quoteForShell(file)}; ${next}`);
  };
  if (!gatewayRuns) {
    const serve =
      origin === "default"
        ? "agent serve --background"
        : `agent serve --background --config ${quoteForShell(file)}`;
    say(`next: ${serve}`);
    return "not running";
  }
  const record = await runningGateway(context, dependencies);
  const { fingerprint } = opened;
  let verdict: ConfigurationVerdict = { kind: "unknown" };
  if (record !== undefined && fingerprint !== undefined) {
    const [{ askConfigurationOf }, { awaitConfiguration }] = await Promise.all([
      import("./gateway-configuration.ts"),
      import("./await-configuration.ts"),
    ]);
    const { signal } = context.deadline;
    const ask = askConfigurationOf(record, context, signal);
    verdict = await awaitConfiguration(ask, { fingerprint, savedAtMs }, signal);
  }
  if (verdict.kind === "applied") say("the running gateway has taken it up");
  else if (verdict.kind === "unknown") say("the running gateway takes it up by itself");
  else {
    say("the running gateway has not taken it up");
    warnOfRefusal(verdict.problem, io);
  }
  return verdict.kind;
}

/** That another configuration is in effect than the file has, why, and what mends it. */
export function warnOfRefusal(
  { message, hint }: { message: string; hint: string | null },
  io: Pick<Io, "note" | "foreign">,
): void {
  const more = hint === null ? "" : `\nhint: ${inLine(hint, io, 500)}`;
  io.note(
    `The running gateway keeps the configuration before: ${inLine(message, io, 500)}${more}`,
    {
      always: true,
    },
  );
}
