/** Something that was written, said or shown somewhere. */
export interface Trace {
  /** Where, for who reads the failure. */
  place: string;
  text: Buffer;
}

/** The end of a token this long tells it from any other; what is shown of one on purpose is four characters. */
const tailLength = 12;

/** Everything that nobody may see, and a search for it in whatever form. */
export class SecretHunt {
  readonly #labels = new Map<string, string>();

  /** @param label what a failure calls it */
  add(label: string, secret: string): void {
    if (secret.length < 8) throw new Error(`${label} is too short to be looked for`);
    if (!this.#labels.has(secret)) this.#labels.set(secret, label);
  }

  get size(): number {
    return this.#labels.size;
  }

  /** Which secrets stand where, and in which form; empty when all is well. The secrets themselves are not told. */
  findIn(traces: readonly Trace[]): string[] {
    const needles = [...this.#labels].flatMap(([secret, label]) =>
      Object.entries(formsOf(secret)).map(([form, needle]): [string, Buffer] => [
        `${label}, ${form}`,
        Buffer.from(needle),
      ]),
    );
    const found = traces.flatMap(({ place, text }) =>
      needles.flatMap(([what, needle]) => (text.includes(needle) ? [`${place}: ${what}`] : [])),
    );
    return [...new Set(found)];
  }
}

/** As it is, and as it looks where somebody wrote it down without meaning to show it. */
function formsOf(secret: string): Record<string, string> {
  const all = Buffer.from(secret);
  const percent = [...all].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  const forms: Record<string, string> = {
    "as it is": secret,
    "its end": secret.slice(-tailLength),
    "in JSON": JSON.stringify(secret).slice(1, -1),
    "percent-encoded": encodeURIComponent(secret),
    "percent-encoded throughout": percent,
    "PERCENT-ENCODED throughout": percent.toUpperCase(),
    "in hex": all.toString("hex"),
  };
  // Within a longer text (`id:secret`, RFC 7617) base64 begins at any of three places.
  for (const shift of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(shift), all]);
    for (const alphabet of ["base64", "base64url"] as const) {
      const whole = shifted.toString(alphabet).replace(/=+$/u, "");
      // The characters at both ends hold bits of what stands beside.
      forms[`${alphabet}, shifted by ${shift}`] = whole.slice(shift === 0 ? 0 : shift + 1, -1);
    }
  }
  return forms;
}
