import { connectToolServer } from "../../client/connect-tool-server.ts";
import type { ConnectOptions } from "../../client/connect-tool-server.ts";
import { CredentialRefused } from "../../client/credential-refused.ts";
import { askReadiness } from "../../client/gateway-readiness.ts";
import type { ToolServer } from "../../client/tool-server.ts";
import type { FoundProject } from "../../config/find-project.ts";
import { AppError } from "../../core/errors.ts";
import { InsufficientScope } from "../../core/insufficient-scope.ts";
import type { SelectionRequest } from "../../core/selection.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import type { Profile } from "../../profiles/profile.ts";
import type { GlobalOptions, ServerOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { hasPerson } from "../has-person.ts";
import { renewRefused } from "../profile-bearer.ts";
import { currentProject } from "../project.ts";
import { bearerFor, chooseServer } from "../server-choice.ts";
import { refusedHint } from "../login-hint.ts";
import { notSignedIn } from "../not-signed-in.ts";
import { sameServer } from "../same-server.ts";
import type { ChosenServers, SelectionOptions } from "../selection/chosen-servers.ts";
import type { ServerChoice } from "../server-choice.ts";
import { authDependencies } from "../sign-in/dependencies.ts";
import { tokenFromElsewhere } from "../token-from-elsewhere.ts";
import type { StepUp } from "./step-up.ts";
import type { Bearer } from "../bearer.ts";

/** Where the server and its bearer come from; a test hands in its own. */
export interface ServerSource {
  chooseServer: typeof chooseServer;
  bearerFor: typeof bearerFor;
  /** Another bearer for one that a server refused, where one can be got without a person. */
  renewRefused(bearer: Bearer, context: Context): Promise<Bearer | undefined>;
  /** How a profile gets a token of more scopes; undefined where it cannot. */
  stepUp(
    profile: Profile,
    needed: readonly string[],
    context: Context,
    options: CallingOptions,
  ): Promise<StepUp | undefined>;
  connect(options: ConnectOptions): Promise<ToolServer>;
  /** What the server says of itself without a sign-in. */
  readiness: typeof askReadiness;
  /** What calls from here belong to, and which servers are of use for them. */
  project(context: Context): Promise<FoundProject>;
  /** `agent auth login` with these options. */
  signIn(options: CallingOptions, context: Context, more?: StepUp["login"]): Promise<unknown>;
}

export const realSource: ServerSource = {
  chooseServer,
  bearerFor,
  renewRefused: (bearer, context) => renewRefused(bearer, context, authDependencies),
  async stepUp(profile, needed, context, options) {
    const { stepUpOf } = await import("./step-up.ts");
    return stepUpOf(profile, needed, options, context, authDependencies);
  },
  connect: connectToolServer,
  readiness: askReadiness,
  // Not loaded apart, for every command that calls or looks needs it.
  project: currentProject,
  async signIn(options, context, more) {
    const { signInAgain } = await import("../commands/auth/login.ts");
    await signInAgain(options, context, more);
  },
};

/** The options that commands of ours share. */
export type CallingOptions = GlobalOptions &
  ServerOptions & {
    /** What a gateway's audit is told that the call belongs to. */
    projectId?: string | undefined;
    /** Only these of a gateway's servers are there for the command. */
    selection?: ChosenServers | undefined;
  };

/** The options of a command with what `.onedoorrc` says where the command line says nothing. @throws AppError `usage` */
export async function inProject<Options extends CallingOptions & SelectionOptions>(
  options: Options,
  context: Context,
  source: Pick<ServerSource, "project">,
): Promise<Options> {
  const { preset, tags = [], filter, allServers } = options;
  const isGiven =
    preset !== undefined || tags.length > 0 || filter !== undefined || allServers === true;
  const choose = async (project: FoundProject): Promise<ChosenServers | undefined> =>
    (await import("../selection/chosen-servers.ts")).chosenServers(options, project);
  // What is wrong with the command line is said before anything of the folder is read.
  const given = isGiven ? await choose({}) : undefined;
  const project = await source.project(context);
  const says = [project.preset, project.tags, project.filter].some(
    (choice) => choice !== undefined,
  );
  const selection = isGiven || !says ? given : await choose(project);
  return { ...options, projectId: project.project, selection };
}

/** Who we say we are, for audit rows, where the environment names nobody. */
const defaultClientName = "onedoor-cli";

/**
 * Chooses the server, takes the bearer that wins for it, connects, and hands it to `use`; takes leave of
 * it in every case. All of it stands under the command's deadline. Where nobody is signed in, or the token is
 * for fewer scopes than are needed, and a person is there to be asked, it offers to sign in, once for each of the two,
 * and then does all of it once more.
 * @param beforeOffer clears the terminal's line for the question
 * @throws AppError `unreachable`, `timeout`, `auth_required`, `auth_rejected`, … and what `use` throws
 */
export async function withServer<T>(
  options: CallingOptions,
  context: Context,
  source: ServerSource,
  use: (server: ToolServer) => Promise<T>,
  beforeOffer?: () => void,
): Promise<T> {
  const offered = new Set<"sign in" | "step up">();
  for (;;) {
    const choice = await source.chooseServer(options, context);
    try {
      return await useServer(choice, options, context, source, use);
    } catch (error) {
      // A token from elsewhere goes on winning over whatever a sign-in would save.
      if (tokenFromElsewhere(choice.canonical, options, context)) throw error;
      const stepUp =
        error instanceof InsufficientScope && choice.profile !== undefined
          ? await source.stepUp(choice.profile, error.scopes, context, options)
          : undefined;
      const failure = stepUp === undefined ? error : withStepUpHint(error, stepUp);
      const helps = stepUp === undefined ? isAboutSignIn(error) : stepUp.login !== undefined;
      const offer = stepUp === undefined ? "sign in" : "step up";
      if (!helps || offered.has(offer) || !canOfferSignIn(options, context)) throw failure;
      offered.add(offer);
      beforeOffer?.();
      const { offerSignIn } = await import("./offer-sign-in.ts");
      if (!(await offerSignIn(choice, options, context, source, stepUp))) throw failure;
      // What was tried with the token before says nothing of this one.
      context.renewals.clear();
    }
  }
}

/**
 * As `withServer`, with a server that is chosen already, and without an offer. Where the server refuses the token of a
 * profile that can be renewed without a person, that is done, and all of it is tried once more; as often as that makes
 * another token, of a command that outlives several.
 */
export async function useServer<T>(
  choice: ServerChoice,
  options: CallingOptions,
  context: Context,
  source: ServerSource,
  use: (server: ToolServer) => Promise<T>,
): Promise<T> {
  let bearer = await source.bearerFor(choice, options, context);
  try {
    for (;;) {
      try {
        return await useAs(bearer, choice, options, context, source, use);
      } catch (error) {
        if (!(error instanceof CredentialRefused)) throw error;
        const other = await source.renewRefused(bearer, context);
        if (other?.token === undefined || other.token === bearer.token) throw error;
        bearer = other;
      }
    }
  } catch (error) {
    throw withSignInHint(error, bearer, choice, options, context);
  }
}

async function useAs<T>(
  { token }: Bearer,
  choice: ServerChoice,
  options: CallingOptions,
  context: Context,
  source: ServerSource,
  use: (server: ToolServer) => Promise<T>,
): Promise<T> {
  const { environment } = context;
  const selection = await selectionAt(choice, options.selection);
  let server: ToolServer | undefined;
  try {
    server = await source.connect({
      selection: selection?.request,
      mustSelect: selection?.origin === "options",
      endpoint: choice.endpoint,
      kind: choice.server,
      bearer: token,
      ownGateway: choice.runtime !== undefined,
      clientName: environment.clientName ?? defaultClientName,
      sessionId: environment.sessionId,
      projectId: options.projectId,
      signal: context.deadline.signal,
    });
    if (server.kind === "onedoor") await saySelection(selection, context);
    return await use(server);
  } finally {
    await server?.close();
  }
}

/** An address that was given with a choice in its query means that, unless the command line says otherwise. */
async function selectionAt(
  { how, given }: ServerChoice,
  selection: ChosenServers | undefined,
): Promise<ChosenServers | undefined> {
  const isGiven = how === "option" || how === "environment";
  if (selection?.origin === "options" || !isGiven || !given.includes("?")) return selection;
  const { selectionInUrl } = await import("../../client/selection-query.ts");
  const request = selectionInUrl(given);
  return request === undefined ? selection : { request, origin: "url" };
}

/** What was said already, also where all of it is done once more after a sign-in. */
const told = new WeakSet<SelectionRequest>();

async function saySelection(selection: ChosenServers | undefined, { io }: Context): Promise<void> {
  if (selection === undefined || typeof selection.origin !== "object") return;
  const { request, origin } = selection;
  if (told.has(request)) return;
  told.add(request);
  const { saidChoice } = await import("../selection/chosen-servers.ts");
  io.note(`${quoteForShell(origin.file)} chooses ${saidChoice(request)} (--all-servers for all)`);
}

/** Whether a server, or a profile, says that nobody is signed in there. */
export function isAboutSignIn(error: unknown): error is AppError {
  return (
    error instanceof AppError && (error.code === "auth_required" || error.code === "auth_rejected")
  );
}

/** A person is there, and no program waits for a form of its own. */
function canOfferSignIn({ json, quiet }: CallingOptions, context: Context): boolean {
  return !json && !quiet && hasPerson(context);
}

/** What a server says of a credential, it says without knowing our command line: the hint is ours. */
function withSignInHint(
  error: unknown,
  { source, profile }: Bearer,
  choice: ServerChoice,
  options: CallingOptions,
  context: Context,
): unknown {
  if (!isAboutSignIn(error)) return error;
  const url = options.url ?? context.environment.url;
  // One that `auth switch` chose has a name that the command line does not say.
  const chosen = profile?.name === "default" ? undefined : profile?.name;
  const said = {
    ...options,
    ...(url !== undefined && { url }),
    profile: options.profile ?? chosen,
  };
  const login = `agent auth login${sameServer(said)}`;
  if (source === "none" && error instanceof CredentialRefused) {
    return notSignedIn(choice.canonical, login, context);
  }
  return new AppError(error.code, error.message, {
    hint: refusedHint(source, login, choice),
    cause: error,
  });
}

function withStepUpHint(error: unknown, { hint }: StepUp): unknown {
  return error instanceof InsufficientScope
    ? new InsufficientScope(error.message, { scopes: error.scopes, hint })
    : error;
}

/** What to do when a server cannot be started or reached: looking again or waiting changes nothing. */
export function unavailableHint(options: CallingOptions, reason = ""): string {
  const isMissing = /^the command .* was not found$/u.test(reason);
  const mend = isMissing ? "Install that command where the gateway runs, or correct" : "Correct";
  return options.url === undefined
    ? `${mend} its entry in the configuration, which counts at once; agent serve --status names that file and the log`
    : `${mend} its entry in that gateway's configuration; its log says more`;
}
