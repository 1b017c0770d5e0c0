/** @typedef {{type?: string, const?: string, description?: string, properties?: Record<string, Schema>, additionalProperties?: Schema | false, items?: Schema, anyOf?: Schema[], oneOf?: Schema[], enum?: string[]}} Schema */

/** @param {Schema} schema @returns {string} */
function kind(schema) {
  if (schema.enum) return schema.enum.map((value) => `"${value}"`).join(", ");
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms) return [...new Set(forms.map(kind))].join(" or ");
  if (schema.type === "array") return `list of ${schema.items ? kind(schema.items) : "values"}`;
  return schema.type ?? "any";
}

/**
 * Rows for the keys of an object, and of the objects in it.
 * @param {Schema} schema @param {string} prefix @returns {string[]}
 */
function rows(schema, prefix) {
  const all = Object.entries(schema.properties ?? {});
  return all.flatMap(([key, value]) => {
    const path = `${prefix}${key}`;
    const own = `| \`${path}\` | ${kind(value).replaceAll("|", "\\|")} | ${(value.description ?? "").replaceAll("|", "\\|")} |`;
    if (value.additionalProperties && value.additionalProperties.properties) return [own];
    const list = value.items ?? value;
    return [own].concat(rows(list, `${path}${value.type === "array" ? "[]" : ""}.`));
  });
}

/**
 * What `auth.type` may be, and a table of the options of each type that has some.
 * @param {Schema} [auth] @returns {string}
 */
function signInTypes(auth) {
  const entries = auth?.anyOf?.find((form) => form.oneOf)?.oneOf ?? [];
  const meanings = entries.map(({ properties = {} }) => `- ${properties["type"]?.description}`);
  const tables = entries.flatMap(({ properties = {} }) => {
    const lines = rows(properties["options"] ?? {}, "");
    const title = `### Options of \`${properties["type"]?.const}\``;
    return lines.length === 0
      ? []
      : [`${title}\n\n| key | type | meaning |\n|---|---|---|\n${lines.join("\n")}`];
  });
  return [["### Types of `auth`", "", ...meanings].join("\n"), ...tables].join("\n\n");
}

/**
 * The configuration reference, from the JSON Schema.
 * @param {Schema} schema
 */
export function configurationPage(schema) {
  const servers = schema.properties?.["mcpServers"]?.additionalProperties;
  return `# Configuration

\`agent serve\` reads \`<config-dir>/mcp.json\`, or the file that \`--config\` names. It is JSON with comments, in the
form every MCP client uses for \`mcpServers\`:

\`\`\`jsonc
{
  "mcpServers": {
    // stdio: a program that the gateway starts and keeps running
    "files": {
      "command": "npx",
      "args": ["-y", "@modelcontextprotocol/server-filesystem", "\${HOME}/notes"],
      "tags": ["local"],
    },
    // Streamable HTTP: a server that runs elsewhere
    "search": {
      "url": "https://mcp.example.com/mcp",
      "headers": { "Authorization": "Bearer \${SEARCH_TOKEN}" },
      "timeout": 30,
    },
    // the older HTTP+SSE transport
    "archive": { "type": "sse", "url": "https://old.example.com/sse" },
  },
}
\`\`\`

- \`\${NAME}\` and \`\${NAME:-default}\` in values are filled once, from the environment of the gateway. A variable that
  is missing stops the start and names the key, unless it stands in a way to sign in that \`agent serve --auth\` leaves off.
  A server's \`instructions\`, \`tools.descriptions\` and \`tags\` are handed on as they are written, with what looks like
  a reference: agents and people read them. A variable of the gateway's own, \`ONEDOOR_*\`, in the entry of a server is
  filled, and a warning names the key: the server is handed what it holds.
- \`\${secret:NAME}\` in values is filled from your key ring: the keychain of the system, or where there is none a file for
  you alone. \`agent mcp add\` keeps what it asks for there, as \`<server>/<KEY>\`. A secret that is missing stops the
  start and names the key; so does a keychain that is locked, which a gateway never opens by itself (exit code 1). A file
  without such a reference asks no keychain. Signing out, also of everything, removes no secret of a server.
- A file that group or others may write is refused: who can write it can run programs as you.
- Saving the file applies it: servers with their \`access\`, \`auth\`, \`rateLimit\` and \`audit\` at once, what the gateway
  listens on with a restart, and so what the log then names: \`host\`, \`port\`, \`externalUrl\`, \`allowedHosts\`,
  \`allowedOrigins\`, \`trustedProxies\`, \`allowQueryToken\`, \`tls\`, \`maxBodyBytes\`, and \`auth\` where it changes to or
  from \`none\`. Only the servers that changed are restarted. A wrong file at that moment changes nothing and is
  reported in the log. Calls in flight finish, clients keep their sessions and are told that lists changed. Whoever
  came in by a way that is off now is let in no more, and its streams end.
- Files that \`tls\` names are watched by themselves: a renewed certificate is served without a restart.
- Every change of a server is a row of the change history (\`agent history --entity server\`). \`agent mcp restore <server>\`
  writes the entry that it had before back into the file, and leaves the rest of the file as it is written.
- A wrong file at the start ends it with exit code 2 and \`<file>:<line>: <key>: <reason>\`.
- The gateway starts programs with PATH, HOME, locale and TMPDIR, plus \`env\` and \`inheritEnv\`; never with an
  \`ONEDOOR_*\` variable.

The [JSON Schema](configuration.schema.json) gives editors completion and checks. Both are made from the code.

## Keys of the file

| key | type | meaning |
|---|---|---|
${rows({ properties: Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([key]) => key !== "mcpServers")) }, "").join("\n")}

## Keys of a server, \`mcpServers.<name>\`

| key | type | meaning |
|---|---|---|
${servers ? rows(servers, "").join("\n") : ""}

## One connection for all, or one for each client

Some servers ask their client something back while they work: to complete a text (sampling), to have a person fill
in a form (elicitation), which folders it works in (roots). Such a question must reach the client whose call it
belongs to, and nobody else.

- With \`"connection": "session"\`, the default of servers with \`url\`, every client that says it can be asked gets a
  connection of its own to the server, with the capabilities it declared. The others share one.
- With \`"connection": "shared"\`, the default of servers with \`command\`, all clients share one connection over which
  nothing can be asked. A program that should ask needs \`"connection": "session"\`: then it is started once more for
  each such client, and ended with it.

A log message that comes on no call's own stream says nothing of whose it is: over a shared connection it is written
to the gateway's debug log and reaches no client, over a client's own connection it reaches that client.

A server of the 2026-07-28 revision needs no connection of its own for that: there each request carries what its
client can be asked. With an explicit \`"connection": "shared"\` none carries it.

\`\`\`jsonc
{
  "mcpServers": {
    // asks for the folders it may use; is stopped after ten minutes without a request
    "editor": { "command": "my-editor-server", "connection": "session", "idleTimeout": 600 },
  },
}
\`\`\`

## Who is let in

Which way to choose, one configuration for each, and what every refusal means stands in
[authentication.md](authentication.md).

\`\`\`jsonc
// the default: only tokens that the gateway minted for its own user (agent auth login)
{ "auth": { "type": "local" } }
\`\`\`

\`\`\`jsonc
// and two static tokens from the environment
{
  "auth": [
    { "type": "local" },
    {
      "type": "token",
      "options": {
        "tokens": [
          { "name": "ci", "token": "\${ONEDOOR_CI_TOKEN}" },
          { "name": "desk", "token": "\${ONEDOOR_DESK_TOKEN}" },
        ],
      },
    },
  ],
}
\`\`\`

On any host but loopback the gateway refuses to start without \`tls\` or an https \`externalUrl\`, unless
\`--insecure-http\`. Auth servers are asked over https, over plain http only on loopback or with \`--insecure-http\`.

${signInTypes(schema.properties?.["auth"])}

## Reached from other machines

\`\`\`jsonc
// https without a proxy: both files are read again when they change
{
  "host": "0.0.0.0",
  "externalUrl": "https://gate.example.com:3050",
  "tls": { "cert": "tls/cert.pem", "key": "tls/key.pem" },
}
\`\`\`

\`\`\`jsonc
// behind a proxy that speaks https: what it says of its clients' addresses is believed
{
  "externalUrl": "https://gate.example.com",
  "trustedProxies": ["127.0.0.1", "10.0.0.0/8"],
}
\`\`\`

## Who the caller is, for a server

\`\`\`jsonc
{
  "mcpServers": {
    // gets a token of two minutes with each request: sub, org_id, role, project_id; keys at GET /oauth/jwks
    "orders": { "url": "https://orders.example.com/mcp", "forwardIdentity": true },
  },
}
\`\`\`

Nothing that a client shows the gateway is sent to a server, with or without it.

## Who may do what

A caller has one of three roles: a \`viewer\` sees what there is and calls tools that only read, an \`editor\` calls all, an
\`admin\` administers too. Whoever runs the gateway is an \`admin\`. A static token has its role from this file, a user of the
gateway's own (tokens, passwords) from its store (\`agent org\`, \`agent user\`, \`agent member\`), and whoever an outside issuer
names from the token's claims, by \`claims.role\`, \`roles\` and \`role\` [above](#who-is-let-in).

Whether a tool only reads is decided in this order: a name in \`access.write\` does not, a name in \`access.read\` does, a tool
that the server marks with \`readOnlyHint\`, and not with \`destructiveHint\`, does where its hints are trusted, all others do
not. Names are the server's own, upper and lower case apart; \`*\` stands for any run of characters, \`?\` for one.

A server with \`access.organizations\` is there for members of these organisations and for the gateway's administrators
alone; to others it does not exist. An id nobody has made with \`agent org add\` yet may stand there.

\`\`\`jsonc
{
  "mcpServers": {
    "tickets": {
      "url": "https://tickets.example.com/mcp",
      "access": {
        "read": ["get_*", "list_*"],
        "write": ["get_lock"],
        "organizations": ["acme"],
      },
    },
    // its own marks count for viewers
    "wiki": { "url": "https://wiki.example.com/mcp", "trustHints": true },
  },
  "auth": [
    { "type": "local" },
    {
      "type": "token",
      "options": {
        "tokens": [
          { "name": "dashboard", "token": "\${DASHBOARD_TOKEN}", "role": "viewer", "organization": "acme" },
        ],
      },
    },
  ],
}
\`\`\`

## How often, and for how long it is remembered

\`\`\`jsonc
{
  "rateLimit": {
    "rpm": 120, // within any 60 seconds, for each user; 0: no limit
    "roles": { "viewer": 30 }, // in place of rpm
    "tools": { "search__*": 10 }, // beside it; the first name that fits counts
  },
  "audit": { "retentionDays": 365 },
}
\`\`\`

A call beyond a limit is not counted towards it; every other one is, whatever becomes of it. The environment variable
\`ONEDOOR_RATE_LIMIT_RPM\` wins over \`rateLimit.rpm\`, not over \`roles\` and \`tools\`.
`;
}
