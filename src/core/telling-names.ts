import type { Json } from "./json.ts";

/** Of a name in small letters without accents, and without what is neither letter nor digit. */
const telling = new RegExp(
  "authorization|token|passw(?:or)?d|passphrase|passcode|secret|credential|cookie|bearer" +
    "|(?:api|access|private|signing|encryption)key|^(?:pass|auth|pwd|pin|otp|jwt)$|pwd$" +
    // Password in German, French, Spanish and Portuguese, Italian.
    "|passwort|kennwort|losungswort|motdepasse|^mdp$|contrasen|^clave$|clavesecreta|^senha$|parolachiave",
  "u",
);
/** `dbPass`, `smtp_pass`, `DB-PASS`; not `bypass`. */
const endsInPass = /[_.\-\s](?:pass|PASS|Pass)$|[a-z0-9]Pass$/u;

/** Names are few and come again: what was found of the last of them is kept. */
const mostKept = 2_000;
const longestKept = 64;
const kept = new Map<string, boolean>();

/** Whether what stands under this name is a secret as a rule: `X-Api-Key`, `client_secret`, `Passwort`. */
export function isTellingKey(key: string): boolean {
  const known = kept.get(key);
  if (known !== undefined) return known;
  const plain = key
    .normalize("NFD")
    .toLowerCase()
    .replace(/[^a-z0-9]/gu, "");
  const found = telling.test(plain) || endsInPass.test(key);
  if (key.length <= longestKept) {
    if (kept.size >= mostKept) kept.clear();
    kept.set(key, found);
  }
  return found;
}

/** Whether this value under this name is to be hidden. `max_tokens: 100` counts tokens; a flag or nothing hides nothing. */
export function isTelling(key: string, value: Json): boolean {
  if (value === null || typeof value === "boolean") return false;
  if (!isTellingKey(key)) return false;
  return !(typeof value === "number" && /tokens/iu.test(key));
}
