import { AppError } from "../../../src/core/errors.ts";

/** What came of an operation, as it can be compared: what it gave, or everything its failure says. */
export async function outcomeOf(operation: () => unknown): Promise<object> {
  try {
    return { gave: await operation() };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { failed: error.constructor.name, ...error.toBody().error };
  }
}

/** `ok`, or the code of its failure. */
export async function verdictOf(operation: () => unknown): Promise<string> {
  const outcome = await outcomeOf(operation);
  return "code" in outcome ? String(outcome.code) : "ok";
}
