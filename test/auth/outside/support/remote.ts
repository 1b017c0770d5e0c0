import { onTestFinished } from "vitest";
import type {
  Authentication,
  Authenticator,
  Credentials,
} from "../../../../src/auth/authenticator.ts";
import { createUndiciAsk } from "../../../../src/auth/outside/undici-ask.ts";
import type { AskLimits } from "../../../../src/auth/outside/undici-ask.ts";
import { createIntrospectionAuthenticator } from "../../../../src/auth/outside/introspection-authenticator.ts";
import { createIssuerMetadata } from "../../../../src/auth/outside/issuer-metadata.ts";
import { createSupabase } from "../../../../src/auth/outside/supabase.ts";
import type { IdentityMapping, IntrospectionServer } from "../../../../src/core/configuration.ts";
import type { Principal } from "../../../../src/core/principal.ts";
import { startIntrospectionServer } from "../../../fixtures/introspection-server.ts";
import type { IntrospectionStandIn } from "../../../fixtures/introspection-server.ts";
import { startSupabaseAuth } from "../../../fixtures/supabase-auth.ts";
import type { SupabaseAuth } from "../../../fixtures/supabase-auth.ts";
import { anOrganization } from "../../support/identities.ts";

/** A clock that tests set; it stands still. */
export interface Clock {
  ms: number;
}

export interface LogLine {
  level: "info" | "warn" | "error";
  message: string;
  fields: Readonly<Record<string, unknown>> | undefined;
}

export function createLines(): {
  lines: LogLine[];
  logger: Record<LogLine["level"], (message: string, fields?: LogLine["fields"]) => void>;
} {
  const lines: LogLine[] = [];
  const at = (level: LogLine["level"]) => (message: string, fields?: LogLine["fields"]) =>
    void lines.push({ level, message, fields });
  return { lines, logger: { info: at("info"), warn: at("warn"), error: at("error") } };
}

const startMs = 1_800_000_000_000;

/** Organisation `acme` exists, `gone` is deleted, others are not there. */
const organizations = new Map([
  ["acme", anOrganization("acme")],
  ["gone", { ...anOrganization("gone"), deletedAtMs: 1 }],
]);
const directory = { organization: (id: string) => organizations.get(id) };

export const supabaseMapping: IdentityMapping = {
  claims: { user: ["id"] },
  organizationId: "acme",
  role: "editor",
  requiredScopes: [],
};

const patience: Partial<AskLimits> = { timeoutMs: 2000 };

function openAsk(limits: Partial<AskLimits>) {
  const ask = createUndiciAsk({ ...patience, ...limits });
  onTestFinished(ask.close);
  return ask.ask;
}

/** A stand-in for Supabase with one user, and what the gateway makes of it. */
export async function openSupabase(
  options: {
    cacheMs?: number;
    limits?: Partial<AskLimits>;
    mapping?: IdentityMapping;
    type?: "bearer" | "simple";
    anonKey?: string;
  } = {},
) {
  const { cacheMs = 30_000, limits = {}, mapping = supabaseMapping, type = "bearer" } = options;
  const clock: Clock = { ms: startMs };
  const now = (): number => clock.ms;
  const server: SupabaseAuth = await startSupabaseAuth({ now });
  onTestFinished(server.close);
  const userId = server.addUser({ email: "ada@example.com", password: "correct horse" });
  const { lines, logger } = createLines();
  const { authenticator, signIn } = createSupabase({
    way: { type, description: "" },
    server: {
      kind: "supabase",
      url: server.url,
      anonKey: options.anonKey ?? server.anonKey,
      cacheMs,
    },
    mapping,
    directory,
    ask: openAsk(limits),
    now,
    logger,
  });
  return { server, userId, authenticator: waiting(authenticator), signIn, clock, lines };
}

/** A stand-in that is asked about tokens, and what the gateway makes of it. */
export async function openIntrospection(
  options: {
    type?: "bearer" | "oauth";
    server?: Partial<IntrospectionServer>;
    mapping?: Partial<IdentityMapping>;
    limits?: Partial<AskLimits>;
    isDiscovered?: boolean;
  } = {},
) {
  const { type = "bearer", limits = {}, isDiscovered = false } = options;
  const clock: Clock = { ms: startMs };
  const now = (): number => clock.ms;
  const server: IntrospectionStandIn = await startIntrospectionServer();
  onTestFinished(server.close);
  const { lines, logger } = createLines();
  const ask = openAsk(limits);
  const authenticator = createIntrospectionAuthenticator({
    way: { type, description: "" },
    server: {
      kind: "introspection",
      url: isDiscovered ? undefined : server.introspectionUrl,
      issuer: isDiscovered ? server.url : undefined,
      audience: [],
      clientId: server.clientId,
      clientSecret: server.clientSecret,
      cacheMs: 30_000,
      ...options.server,
    },
    metadata: isDiscovered ? createIssuerMetadata({ issuer: server.url, ask, now }) : undefined,
    mapping: {
      claims: { user: ["sub"] },
      organizationId: null,
      role: "viewer",
      requiredScopes: [],
      ...options.mapping,
    },
    directory,
    ask,
    now,
    logger,
  });
  return { server, authenticator: waiting(authenticator), clock, lines };
}

/** The same, which always answers with a promise. */
function waiting(authenticator: Authenticator) {
  const authenticate = async (shown: Credentials): Promise<Authentication> =>
    authenticator.authenticate(shown);
  return { ...authenticator, authenticate };
}

/** Whom an answer lets in. @throws Error when it lets in nobody */
export function accepted(answer: Authentication): Principal {
  if (answer.kind === "accepted") return answer.principal;
  throw new Error(`Not let in: ${JSON.stringify(answer)}`);
}
