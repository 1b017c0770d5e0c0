import type { OpenConfiguration } from "../../config/edit-configuration.ts";
import { AppError } from "../../core/errors.ts";
import type { readRuntimeFile } from "../../runtime/runtime-file.ts";
import type { Context } from "../context.ts";
import { runningGateway } from "../running-gateway.ts";
import type { ChosenConfigurationFile } from "./choose-configuration-file.ts";

/** Whether a running gateway says that it has taken up the file as it is, and so has its entries in the history. */
export async function isInEffect(
  { gatewayRuns }: ChosenConfigurationFile,
  { fingerprint }: Pick<OpenConfiguration, "fingerprint">,
  context: Context,
  dependencies: { readRuntimeFile: typeof readRuntimeFile },
): Promise<boolean> {
  const record = gatewayRuns ? await runningGateway(context, dependencies) : undefined;
  if (record === undefined || fingerprint === undefined) return false;
  const { askConfigurationOf } = await import("./gateway-configuration.ts");
  try {
    const status = await askConfigurationOf(record, context, context.deadline.signal)();
    return status.fingerprint === fingerprint;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return false;
  }
}
