import { posix, win32 } from "node:path";
import { literalDollar } from "../config/references.ts";
import { isSecretName, isSecretOf, secretName, secretReference } from "../core/secret-reference.ts";
import type { HostId } from "./host.ts";

/** What a text of a host's entry may be about. */
export interface ReferenceContext {
  server: string;
  host?: HostId | undefined;
  /** What `${workspaceFolder}` is; absent: nothing that is known. */
  folder?: string | undefined;
  home?: string | undefined;
  platform: NodeJS.Platform;
  /** Names of variables that the entry itself gives its program, which fills them in by itself (mcp-remote does). */
  own: ReadonlySet<string>;
  /** What an input of VS Code asks for, by its id. */
  inputs: ReadonlyMap<string, string>;
}

export type ReadText =
  | { kind: "read"; text: string; notes: readonly string[] }
  /** A sentence without values. */
  | { kind: "unknown"; reason: string };

const braced = /\$\{([^{}]*)\}/gu;
/** Where a reference of ours may begin. */
const beginning = /\$\{(?=([A-Za-z_][A-Za-z0-9_]*)(?:\}|:-)|secret:)/gu;
const environmentName = /^[A-Za-z_][A-Za-z0-9_]*$/u;

/** Hosts that give `${NAME}` to the program as it stands. */
const literalHosts: ReadonlySet<HostId> = new Set(["claude-desktop", "codex", "vscode"]);

/** What only the editor knows: its settings, commands and open files, and Windsurf's files of secrets. */
const onlyTheirs =
  /^(?:config|command|file|workspaceFolder|user_config):|^(?:file|relativeFile|fileWorkspaceFolder|selectedText|lineNumber|columnNumber|execPath|defaultBuildTask|cwd|__dirname|CLAUDE_PLUGIN_ROOT|CLAUDE_PLUGIN_DATA)$|^user_config\./u;

/**
 * A text of a host's entry with its references in our form: `${NAME}`, `${NAME:-default}`, `${secret:…}`. What the host
 * would have handed on as it stands, our configuration hands on as it stands too.
 * @param key under which the text stands in `env` or `headers`; it names the secret that is asked for
 */
export function readReferences(
  text: string,
  key: string | undefined,
  context: ReferenceContext,
): ReadText {
  const notes: string[] = [];
  let reason: string | undefined;
  const inputs = new Set([...text.matchAll(/\$\{input:[^{}]*\}/gu)].map(([whole]) => whole));
  /** A reference of ours that `${inner}` becomes. */
  const referenceFor = (inner: string): string | undefined => {
    if (inner.startsWith("input:")) {
      const id = inner.slice("input:".length);
      const name = secretName(context.server, inputs.size === 1 ? (key ?? id) : id);
      const asked = context.inputs.get(id);
      notes.push(`${name} is to be asked for${asked === undefined ? "" : ` (${asked})`}`);
      return secretReference(name);
    }
    if (inner.startsWith("env:")) {
      const name = inner.slice("env:".length);
      if (environmentName.test(name)) return `\${${name}}`;
      reason = "names an environment variable in a way that is not read here";
    } else if (inner.startsWith("secret:")) {
      const name = inner.slice("secret:".length);
      // Whoever wrote the file must not be given what another server was given.
      if (isSecretName(name) && isSecretOf(name, context.server)) return secretReference(name);
      reason = "asks for a secret that is not its own";
    } else if (onlyTheirs.test(inner) || /^workspaceFolder|^workspaceRoot/u.test(inner)) {
      reason = `needs \${${inner.slice(0, 200)}}, which is not known here`;
    } else if (isHome(inner) && context.home === undefined) return "${HOME}";
    return undefined;
  };

  let read = "";
  /** What stands between references of ours, with places of this machine in it; looked at once it is whole. */
  let between = "";
  let end = 0;
  for (const { 0: whole, 1: inner = "", index } of text.matchAll(braced)) {
    between += text.slice(end, index);
    end = index + whole.length;
    const place = placeOf(inner, context);
    const reference = place === undefined ? referenceFor(inner) : undefined;
    if (reference === undefined) between += place ?? whole;
    else {
      read += literal(between, context) + reference;
      between = "";
    }
  }
  read += literal(between + text.slice(end), context);
  return reason === undefined ? { kind: "read", text: read, notes } : { kind: "unknown", reason };
}

/** A text in which nothing is filled that the host, or the program by itself, would not have had filled. */
function literal(text: string, { host, own }: ReferenceContext): string {
  return text.replaceAll(beginning, (whole, name: string | undefined) =>
    isKeptBy(host) || (name !== undefined && own.has(name)) ? `${literalDollar}{` : whole,
  );
}

function isKeptBy(host: HostId | undefined): boolean {
  return host !== undefined && literalHosts.has(host);
}

/** What stands for a place on this machine. */
function placeOf(inner: string, { folder, home, platform }: ReferenceContext): string | undefined {
  const path = platform === "win32" ? win32 : posix;
  if (inner === "workspaceFolder" || inner === "workspaceRoot" || inner === "CLAUDE_PROJECT_DIR") {
    return folder;
  }
  if (inner === "workspaceFolderBasename")
    return folder === undefined ? undefined : path.basename(folder);
  if (isHome(inner)) return home;
  return inner === "pathSeparator" || inner === "/" ? path.sep : undefined;
}

function isHome(inner: string): boolean {
  return inner === "userHome" || inner === "HOME";
}
