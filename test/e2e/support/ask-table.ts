import { people } from "./team.ts";
import type { Person } from "./team.ts";

export type Outcomes = Record<string, Record<string, string>>;

/**
 * Asks every operation of a table as every person. Those who are refused ask first. All cells are to be compared
 * at once, so that a failure shows the whole.
 * @param table what comes of each operation, as text: the people in the first line; then one line for each
 *   operation, its name, `|`, and one word for each person
 */
export async function askTable(
  table: string,
  ask: (person: Person, operation: string) => Promise<string>,
): Promise<{ found: Outcomes; expected: Outcomes }> {
  const [head = "", ...lines] = table.trim().split("\n");
  const columns = words(head).map(personOf);
  const found: Outcomes = {};
  const expected: Outcomes = {};
  for (const line of lines) {
    const [operation = "", cells = ""] = line.split("|").map((part) => part.trim());
    const outcomes = words(cells);
    if (outcomes.length !== columns.length) throw new Error(`${operation}: not a word for each`);
    expected[operation] = Object.fromEntries(columns.map((who, at) => [who, outcomes[at] ?? ""]));
    const row: Record<string, string> = {};
    found[operation] = row;
    const refusedFirst = columns
      .map((person, at) => ({ person, allowed: !isRefusal(outcomes[at] ?? "") }))
      .toSorted((a, b) => Number(a.allowed) - Number(b.allowed));
    for (const { person } of refusedFirst) row[person] = await ask(person, operation);
  }
  return { found, expected };
}

function words(line: string): string[] {
  return line.trim().split(/\s+/u);
}

/** An HTTP status, an error's code, or an exit code. */
function isRefusal(outcome: string): boolean {
  return /^(?:4\d\d|forbidden|not_found|exit-\d)$/u.test(outcome);
}

function personOf(word: string): Person {
  const person = people.find((each) => each === word);
  if (person === undefined) throw new Error(`${word} is nobody`);
  return person;
}
