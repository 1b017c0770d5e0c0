import type { Profile } from "../profiles/profile.ts";

/** What a request shows, and where that comes from. */
export interface Bearer {
  token?: string | undefined;
  source: "option" | "environment" | "profile" | "none";
  profile?: Profile | undefined;
}

/**
 * What became of renewing in one command, by the profile's id: a server that always refuses, or an authorization server
 * that is away, is not asked again and again.
 */
export type Renewals = Map<string, Promise<Bearer | undefined>>;
