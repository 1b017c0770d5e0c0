/**
 * Which of so many things somebody chose: `1,3-5`, `all` (also for nothing typed), `none`.
 * @returns indices from 0 in order; undefined: it cannot be read
 */
export function readChoice(line: string, count: number): number[] | undefined {
  const text = line.trim().toLowerCase();
  if (text === "" || text === "all" || text === "a" || text === "*") {
    return Array.from({ length: count }, (_, index) => index);
  }
  if (text === "none" || text === "n" || text === "0" || text === "q") return [];
  const chosen = new Set<number>();
  for (const part of text.split(/[\s,;]+/u).filter((word) => word !== "")) {
    const [, from = "", to = from] = /^(\d{1,4})(?:-(\d{1,4}))?$/u.exec(part) ?? [];
    const [first, last] = [Number(from), Number(to)];
    if (from === "" || first < 1 || last > count || first > last) return undefined;
    for (let number = first; number <= last; number += 1) chosen.add(number - 1);
  }
  return chosen.size === 0 ? undefined : [...chosen].toSorted((one, other) => one - other);
}
