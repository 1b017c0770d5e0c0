// Values that programs stumble over.

/** Newest first. */
export const legacyVersions = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
export const strangeNames = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "",
  " ",
  "..",
  "\u0000",
  "tools/call ",
];

/** @param {import("./random.mjs").Random} random @returns {any} */
export function anything(random, depth = 0) {
  const makers = [
    () => null,
    () => random.chance(0.5),
    () => random.pick([0, -0, -1, 1.5, 2 ** 53, -(2 ** 63), 1e308, 5e-324, random.below(1000)]),
    () => random.text(30),
    () =>
      random.pick([
        "9".repeat(400),
        "x".repeat(10_000),
        "\ud800",
        "${HOME}",
        "../../etc/passwd",
        "%00",
      ]),
    () => random.pick(strangeNames),
    () =>
      depth > 3 ? [] : Array.from({ length: random.below(4) }, () => anything(random, depth + 1)),
    () =>
      depth > 3
        ? {}
        : Object.fromEntries(
            Array.from({ length: random.below(4) }, () => [
              random.chance(0.3) ? random.pick(strangeNames) : random.text(8),
              anything(random, depth + 1),
            ]),
          ),
  ];
  return random.pick(makers)();
}

/** Replaces one value, anywhere in it, and sometimes adds a key. @param {import("./random.mjs").Random} random @param {{[key: string]: any}} root */
export function changeOne(random, root) {
  const copy = structuredClone(root);
  /** @type {[{[key: string]: any}, string][]} */
  const places = [];
  /** @param {{[key: string]: any}} value */
  const collect = (value) => {
    for (const key of Object.keys(value)) {
      places.push([value, key]);
      if (typeof value[key] === "object" && value[key] !== null) collect(value[key]);
    }
  };
  collect(copy);
  const [holder, key] = random.pick(places);
  if (random.chance(0.2)) delete holder[key];
  else if (random.chance(0.15)) holder[random.pick(strangeNames)] = anything(random);
  else holder[key] = anything(random);
  return copy;
}

/** JSON of such a depth. @param {import("./random.mjs").Random} random @param {number} depth */
export function deep(random, depth) {
  const [before, after] = random.pick([
    ["[", "]"],
    ['{"a":', "}"],
  ]);
  return before.repeat(depth) + (before === "[" ? "" : "1") + after.repeat(depth);
}
