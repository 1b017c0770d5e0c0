/** A key of the form that Supabase projects had first: a JWT that names a role of Postgres. */
export function supabaseKey(role: string): string {
  return `${part({ alg: "HS256", typ: "JWT" })}.${part({ iss: "supabase", ref: "demo", role })}.c2ln`;
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
