import { authenticationTypes } from "../core/principal.ts";
import type { AuthenticationType } from "../core/principal.ts";

/** What a type that cannot do without options needs of them at least. */
const options: Readonly<Partial<Record<AuthenticationType, string>>> = {
  token: '{"token": "${NAME}"}',
  bearer: '{"url": "https://<project>.supabase.co", "anonKey": "${NAME}"}',
  jwt: '{"issuer": "https://…", "audience": "…"}',
  oauth: '{"issuer": "https://…", "audience": "…"}',
};

/** The shortest entry of a type, as it is written: `{"type": "local"}`. */
export function authExample(type: AuthenticationType): string {
  const needed = options[type];
  return needed === undefined ? `{"type": "${type}"}` : `{"type": "${type}", "options": ${needed}}`;
}

/** The type that a word names. */
export function authenticationTypeOf(word: unknown): AuthenticationType | undefined {
  return authenticationTypes.find((known) => known === word);
}
