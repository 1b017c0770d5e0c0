/** Of one object: a prefix may change with a reload, and one object may be listed by several servers. */
const mostOfObject = 4;

/** The same object for the same way of making it of the same object. */
export type Shared<Of, Made> = (of: Of, way: string, make: () => Made) => Made;

/**
 * What is made of an object that lasts, once for all who make it alike: a catalog is merged for each choice of
 * servers that somebody thinks of, and its entries are always the same. Kept for as long as the object is; of one
 * object, what was made last in some ways.
 */
export function createShared<Of extends object, Made>(): Shared<Of, Made> {
  const known = new WeakMap<Of, { way: string; made: Made }[]>();
  return (of, way, make) => {
    const ways = known.get(of);
    const before = ways?.find((one) => one.way === way);
    if (before !== undefined) return before.made;
    const made = make();
    if (ways === undefined) known.set(of, [{ way, made }]);
    else {
      ways.push({ way, made });
      if (ways.length > mostOfObject) ways.shift();
    }
    return made;
  };
}
