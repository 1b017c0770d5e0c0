import type { Answer } from "./support.ts";

export const asBearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
/** What a successful sign-in gave. */
export const pairOf = ({ json }: Answer): { access_token: string; refresh_token: string } => {
  const isPair =
    typeof json === "object" && json !== null && "access_token" in json && "refresh_token" in json;
  if (!isPair) throw new Error("no pair of tokens");
  return { access_token: String(json.access_token), refresh_token: String(json.refresh_token) };
};
/** One refused sign-in, of nobody in particular. */
export const denied = {
  toolName: "auth/login",
  status: "denied",
  params: {},
  userId: null,
  organizationId: null,
  clientName: "unknown",
};
