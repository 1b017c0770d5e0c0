/** What scrypt works with (RFC 7914 §2): N is 2 to the power of `logN`. */
export interface ScryptCost {
  logN: number;
  r: number;
  p: number;
}

/** A password as it is stored. */
export interface ScryptHash {
  cost: ScryptCost;
  salt: Uint8Array;
  key: Uint8Array;
}

/** As the PHC string format has it: base64 without padding. */
const form =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** The memory that one hashing may take, whatever the stored text says. */
const maxMemoryBytes = 128 * 2 ** 20;

export function scryptText({ cost, salt, key }: ScryptHash): string {
  const { logN, r, p } = cost;
  return `$scrypt$ln=${logN},r=${r},p=${p}$${base64(salt)}$${base64(key)}`;
}

/** Reads what `scryptText` wrote; undefined for any other text, and for a cost nobody here would have chosen. */
export function readScryptText(text: string): ScryptHash | undefined {
  const [, logN, r, p, salt = "", key = ""] = form.exec(text) ?? [];
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  return isFit(cost)
    ? { cost, salt: Buffer.from(salt, "base64"), key: Buffer.from(key, "base64") }
    : undefined;
}

/** The bytes that scrypt takes at this cost (RFC 7914 §2: N blocks and p blocks of 128 r bytes, and a little). */
export function scryptMemoryBytes({ logN, r, p }: ScryptCost): number {
  return 128 * r * (2 ** logN + p + 2);
}

/** Whether one cost is less work than another, or less memory. */
export function isCheaper(one: ScryptCost, other: ScryptCost): boolean {
  const blocks = ({ logN, r }: ScryptCost): number => 2 ** logN * r;
  return blocks(one) < blocks(other) || blocks(one) * one.p < blocks(other) * other.p;
}

function isFit(cost: ScryptCost): boolean {
  const { logN, r, p } = cost;
  return (
    logN >= 10 && r >= 1 && p >= 1 && p <= 8 && scryptMemoryBytes(cost) <= maxMemoryBytes + 2 ** 20
  );
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString("base64").replace(/=+$/, "");
