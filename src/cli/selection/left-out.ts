import { AppError } from "../../core/errors.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { saidChoice } from "./chosen-servers.ts";
import type { ChosenServers } from "./chosen-servers.ts";

/** A project's file chose, and who asked may not know of it: says which file, and how to ask past it. */
export function leftOut(
  error: unknown,
  target: string,
  selection: ChosenServers | undefined,
): unknown {
  if (selection === undefined || typeof selection.origin !== "object") return error;
  if (!(error instanceof AppError) || error.code !== "not_found") return error;
  const end = " is not among what was chosen";
  if (!error.message.endsWith(end)) return error;
  const file = quoteForShell(selection.origin.file);
  return new AppError("not_found", quoteForShell(target) + end, {
    hint: `${file} chooses ${saidChoice(selection.request)}; --all-servers asks all of them`,
    cause: error,
  });
}
