import type { ConfigurationProblem, KeyPath } from "./configuration-problem.ts";

/** Takes down what is found wrong at a place of the file and below it. */
export interface Findings {
  /** @param key below the place; `[]`: the place itself */
  problem(key: KeyPath, reason: string, hint?: string): void;
  /** What is allowed, and seldom meant. */
  doubt(key: KeyPath, reason: string, hint?: string): void;
  /** The same, of a place below. */
  at(...key: KeyPath): Findings;
  readonly problems: readonly ConfigurationProblem[];
  readonly doubts: readonly ConfigurationProblem[];
}

export function createFindings(place: KeyPath): Findings {
  const problems: ConfigurationProblem[] = [];
  const doubts: ConfigurationProblem[] = [];
  const below = (path: KeyPath): Findings => ({
    problem: (key, reason, hint) => void problems.push({ path: [...path, ...key], reason, hint }),
    doubt: (key, reason, hint) => void doubts.push({ path: [...path, ...key], reason, hint }),
    at: (...key) => below([...path, ...key]),
    problems,
    doubts,
  });
  return below(place);
}
