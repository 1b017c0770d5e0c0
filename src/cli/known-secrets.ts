/** Shorter ones are words: to mask them would garble what is said, and guard nothing. */
const shortestMasked = 6;
/** No key of ours is as long. */
const shortestMaskedKey = 20;
/** A text in JSON; the second part is there where it is a key. */
const jsonText = /"(?:[^"\\]|\\.)*"(\s*:)?/gu;

/**
 * The bearers that this command came to know, from wherever: whatever it says is passed through `mask`, so
 * that a server that repeats a token in an error, a name or a hint does not make us print it. As it is,
 * inside JSON, and percent-encoded; a server that is out to show a token can always write it another way.
 */
export class KnownSecrets {
  #forms: readonly string[] = [];

  /** Belongs to the line that reads, takes or mints a bearer. */
  add(secret: string): void {
    if (secret.length < shortestMasked) return;
    const json = JSON.stringify(secret).slice(1, -1);
    const forms = new Set([...this.#forms, secret, json, percentEncoded(secret)]);
    // A bearer that holds another one goes first, or its rest would stay.
    this.#forms = [...forms].toSorted((a, b) => b.length - a.length);
  }

  mask(text: string): string {
    return this.#forms.reduce((masked, form) => masked.replaceAll(form, "****"), text);
  }

  /**
   * The same for JSON text, within its texts alone: a bearer that reads like JSON itself, or like one of our keys, is
   * what a hostile server would choose to spoil what programs read.
   */
  maskJson(json: string): string {
    if (this.#forms.length === 0) return json;
    return json.replaceAll(jsonText, (literal: string, key: string | undefined) => {
      const quoted = key === undefined ? literal : literal.slice(0, -key.length);
      const text: string = JSON.parse(quoted);
      const masked = key === undefined ? this.mask(text) : this.#maskLong(text);
      return masked === text ? literal : `${JSON.stringify(masked)}${key ?? ""}`;
    });
  }

  #maskLong(text: string): string {
    return this.#forms
      .filter(({ length }) => length >= shortestMaskedKey)
      .reduce((masked, form) => masked.replaceAll(form, "****"), text);
  }
}

/** What no encoding exists for (half a surrogate pair) stays as it is. */
function percentEncoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return text;
  }
}
