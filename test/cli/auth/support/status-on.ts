import { createStatus } from "../../../../src/cli/commands/auth/status.ts";
import { exitCodeOf } from "../../../../src/cli/exit-code.ts";
import { AppError } from "../../../../src/core/errors.ts";
import type { Bench } from "../bench.ts";

export interface StatusFlags {
  url?: string;
  all?: boolean;
  profile?: string;
  token?: string;
  json?: boolean;
}

/** `agent auth status`, with the exit code as the frame makes it of a failure, and the failure beside it. */
export async function statusOn(
  bench: Bench,
  flags: StatusFlags,
): Promise<{ code: number | void; failure?: AppError }> {
  const format = flags.json === true ? "json" : "text";
  const command = createStatus(bench.dependencies);
  try {
    return { code: await bench.run(command, { all: false, format, ...flags }) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { code: exitCodeOf(error.code), failure: error };
  }
}
