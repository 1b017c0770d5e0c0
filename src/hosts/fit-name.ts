import { longestVisibleName, withoutHidden } from "../core/visible-name.ts";

/** A name that our configuration takes: no `/`, no control or invisible characters, at most 64 characters, not empty. */
export function fitName(name: string): string {
  const plain = withoutHidden(name.slice(0, 1000)).replaceAll("/", "-").trim();
  const short = plain
    .slice(0, longestVisibleName)
    .replace(/\p{Cs}$/u, "")
    .trim();
  return short === "" || short === "__proto__" ? "server" : short;
}

/** The name, or with the first number behind it that makes it one of its own. */
export function freeName(name: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(name)) return name;
  for (let number = 2; ; number += 1) {
    const ending = `-${number}`;
    const next = `${name.slice(0, longestVisibleName - ending.length).trim()}${ending}`;
    if (!isTaken(next)) return next;
  }
}
