import { readYesNo } from "../../ask-line.ts";
import { secretsIn } from "../../../core/secret-reference.ts";
import type { AskHidden } from "../../hidden-input.ts";
import type { ImportCandidate } from "./import-plan.ts";
import { plainSecrets, withReferences } from "./plain-secrets.ts";
import { readChoice } from "./read-choice.ts";

const mostTries = 3;

/** What is to be imported, with the secrets that are to be kept for it by their names. */
export interface AnsweredImport {
  servers: readonly ImportCandidate[];
  values: ReadonlyMap<string, string>;
  /** Those for which a secret was asked for and not given. */
  unanswered: readonly ImportCandidate[];
}

/** Asks which servers to take; the end of the input, and what cannot be read three times, mean none. */
export async function askWhich(
  candidates: readonly ImportCandidate[],
  ask: AskHidden,
): Promise<readonly ImportCandidate[]> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const line = await ask("Import which? Numbers as in 1,3-5, all, or none [all]", {
      shown: true,
    });
    if (line === undefined) return [];
    const chosen = readChoice(line, candidates.length);
    if (chosen !== undefined) return candidates.filter((_, index) => chosen.includes(index));
  }
  return [];
}

/** Asks whether to keep the secrets in entries elsewhere, and for those that are not known yet. */
export async function askSecrets(
  chosen: readonly ImportCandidate[],
  kept: readonly string[],
  ask: AskHidden,
): Promise<AnsweredImport> {
  const values = new Map<string, string>();
  const plain = new Map(chosen.map((server) => [server, plainSecrets(server.name, server.entry)]));
  const names = [...plain.values()].flat().map(({ name }) => name);
  let servers = chosen;
  if (names.length > 0) {
    const what = names.length === 1 ? "a secret" : `${names.length} secrets`;
    const question = `These entries hold ${what} (${names.join(", ")}). Keep ${names.length === 1 ? "it" : "them"} in the keychain, where there is one, and not in the file? [Y/n]`;
    const answer = await ask(question, { shown: true });
    if (answer !== undefined && (answer.trim() === "" || readYesNo(answer) === true)) {
      servers = chosen.map((server) => {
        const secrets = plain.get(server) ?? [];
        for (const { name, value } of secrets) values.set(name, value);
        return { ...server, entry: withReferences(server.entry, secrets) };
      });
    }
  }
  const unanswered: ImportCandidate[] = [];
  for (const server of servers) {
    for (const name of unknownSecrets(server, kept)) {
      if (values.has(name)) continue;
      const note = server.notes.find((text) => text.includes(` is to be asked for (`));
      const what = note?.startsWith(name) === true ? note.slice(note.indexOf(" (")) : "";
      const answer = (await ask(`${name}${what}, or nothing to leave ${server.name} out:`))?.trim();
      if (answer === undefined || answer === "") {
        unanswered.push(server);
        break;
      }
      values.set(name, answer);
    }
  }
  for (const server of unanswered) {
    for (const name of secretsIn(server.entry)) values.delete(name);
  }
  return { servers: servers.filter((server) => !unanswered.includes(server)), values, unanswered };
}

/** The secrets that an entry refers to and that are not kept yet: without them the configuration would not be loaded. */
function unknownSecrets({ entry }: ImportCandidate, kept: readonly string[]): string[] {
  return secretsIn(entry).filter((name) => !kept.includes(name));
}
