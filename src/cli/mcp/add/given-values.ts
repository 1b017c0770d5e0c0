import { AppError } from "../../../core/errors.ts";
import { shownWord } from "../../shown-word.ts";

/** One `--env` or `--header`; without a value it is to be found or asked for. */
export interface GivenValue {
  key: string;
  value?: string | undefined;
}

/** RFC 9110 §5.1; it is looked at before somebody is asked for a value. */
const header = /^([!#$%&'*+.^_`|~\w-]+)(?:\s*[:=]\s*(.*))?$/su;
const variable = /^([A-Za-z_][\w.-]*)(?:=(.*))?$/su;

/** @throws AppError `usage` */
export function readGivenValues(kind: "env" | "header", given: readonly string[]): GivenValue[] {
  const values = given.map((text): GivenValue => {
    const found = (kind === "env" ? variable : header).exec(text);
    const [, key, value] = found ?? [];
    if (key !== undefined) return { key, value };
    // All of it may be a secret, or none.
    const [start = ""] = text.split(/[=:]/u);
    throw new AppError("usage", `--${kind} has no name: ${shownWord(start)}`, {
      hint:
        kind === "env" ? "--env KEY or --env KEY=VALUE" : '--header NAME or --header "NAME: VALUE"',
    });
  });
  const keys = values.map(({ key }) => (kind === "env" ? key : key.toLowerCase()));
  const twice = values.find((_, index) => keys.indexOf(keys[index] ?? "") !== index);
  if (twice !== undefined) {
    throw new AppError("usage", `--${kind} ${twice.key} is given twice`);
  }
  return values;
}
