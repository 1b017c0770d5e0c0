import type { CommandEntry } from "./command.ts";

/** Every command, in the order of the help. */
export const commandTable: readonly CommandEntry[] = [
  {
    path: ["serve"],
    summary: "Start the gateway, or steer the one in the background",
    load: async () => (await import("./commands/serve.ts")).command,
  },
  {
    path: ["auth", "login"],
    summary: "Sign in to a server, and keep it for the other commands",
    load: async () => (await import("./commands/auth/login.ts")).command,
  },
  {
    path: ["auth", "status"],
    summary: "Show the saved profiles and test them",
    load: async () => (await import("./commands/auth/status.ts")).command,
  },
  {
    path: ["auth", "logout"],
    summary: "Remove profiles, and revoke their tokens where the server can",
    load: async () => (await import("./commands/auth/logout.ts")).command,
  },
  {
    path: ["auth", "whoami"],
    summary: "Ask the server who a profile is",
    load: async () => (await import("./commands/auth/whoami.ts")).command,
  },
  {
    path: ["auth", "token"],
    summary: "Print a profile's bearer token",
    load: async () => (await import("./commands/auth/token.ts")).command,
  },
  {
    path: ["auth", "refresh"],
    summary: "Renew a profile's token now",
    load: async () => (await import("./commands/auth/refresh.ts")).command,
  },
  {
    path: ["auth", "switch"],
    summary: "Choose the default profile",
    load: async () => (await import("./commands/auth/switch.ts")).command,
  },
  {
    path: ["inspect"],
    summary: "List servers, a server's tools, or show one tool",
    load: async () => (await import("./commands/inspect.ts")).command,
  },
  {
    path: ["preset", "list"],
    summary: "List the presets: chosen servers under one name",
    load: async () => (await import("./commands/preset.ts")).list,
  },
  {
    path: ["preset", "show"],
    summary: "Show what a preset chooses, and what of it is gone",
    load: async () => (await import("./commands/preset.ts")).show,
  },
  {
    path: ["preset", "save"],
    summary: "Keep a choice of servers under a name",
    load: async () => (await import("./commands/preset.ts")).save,
  },
  {
    path: ["preset", "delete"],
    summary: "Take a preset out of the configuration file",
    load: async () => (await import("./commands/preset.ts")).remove,
  },
  {
    path: ["run"],
    summary: "Call a tool",
    load: async () => (await import("./commands/run.ts")).command,
  },
  {
    path: ["proxy"],
    summary: "Be an MCP server on stdin and stdout, for clients that only start programs",
    load: async () => (await import("./commands/proxy.ts")).command,
  },
  {
    path: ["setup"],
    summary: "Write what Claude Code, Codex, Cursor or VS Code needs to use the gateway",
    load: async () => (await import("./commands/setup.ts")).command,
  },
  {
    path: ["instructions"],
    summary: "Print the playbook and the live inventory for an AI agent",
    load: async () => (await import("./commands/instructions.ts")).command,
  },
  {
    path: ["wait"],
    summary: "Wait until upstream servers are ready",
    load: async () => (await import("./commands/wait.ts")).command,
  },
  {
    path: ["org", "add"],
    summary: "Add an organisation",
    load: async () => (await import("./commands/org.ts")).add,
  },
  {
    path: ["org", "list"],
    summary: "List the organisations",
    load: async () => (await import("./commands/org.ts")).list,
  },
  {
    path: ["org", "remove"],
    summary: "Remove an organisation; it can be restored",
    load: async () => (await import("./commands/org.ts")).remove,
  },
  {
    path: ["org", "restore"],
    summary: "Bring a removed organisation back",
    load: async () => (await import("./commands/org.ts")).restore,
  },
  {
    path: ["user", "add"],
    summary: "Add a user",
    load: async () => (await import("./commands/user.ts")).add,
  },
  {
    path: ["user", "list"],
    summary: "List the users",
    load: async () => (await import("./commands/user.ts")).list,
  },
  {
    path: ["user", "remove"],
    summary: "Remove a user, whose tokens are dead at once; it can be restored",
    load: async () => (await import("./commands/user.ts")).remove,
  },
  {
    path: ["user", "restore"],
    summary: "Bring a removed user back",
    load: async () => (await import("./commands/user.ts")).restore,
  },
  {
    path: ["user", "disable"],
    summary: "Keep a user out, with password and tokens, until enabled",
    load: async () => (await import("./commands/user.ts")).disable,
  },
  {
    path: ["user", "enable"],
    summary: "Let a disabled user in again",
    load: async () => (await import("./commands/user.ts")).enable,
  },
  {
    path: ["user", "passwd"],
    summary: "Set a user's password, from the terminal or stdin",
    load: async () => (await import("./commands/user.ts")).passwd,
  },
  {
    path: ["member", "set"],
    summary: "Make a user a member of an organisation, or change the role",
    load: async () => (await import("./commands/member.ts")).set,
  },
  {
    path: ["member", "list"],
    summary: "List who is what in which organisation",
    load: async () => (await import("./commands/member.ts")).list,
  },
  {
    path: ["member", "remove"],
    summary: "Take a user out of an organisation; it can be restored",
    load: async () => (await import("./commands/member.ts")).remove,
  },
  {
    path: ["member", "restore"],
    summary: "Bring a removed member back, in the role it had",
    load: async () => (await import("./commands/member.ts")).restore,
  },
  {
    path: ["token", "create"],
    summary: "Make a token for a user, or for yourself",
    load: async () => (await import("./commands/token.ts")).create,
  },
  {
    path: ["token", "list"],
    summary: "List the tokens, never with what they are",
    load: async () => (await import("./commands/token.ts")).list,
  },
  {
    path: ["token", "rotate"],
    summary: "Make a new token in place of an old one",
    load: async () => (await import("./commands/token.ts")).rotate,
  },
  {
    path: ["token", "revoke"],
    summary: "Take a token back",
    load: async () => (await import("./commands/token.ts")).revoke,
  },
  {
    path: ["audit"],
    summary: "Read, follow and export the record of tool calls",
    load: async () => (await import("./commands/audit.ts")).command,
  },
  {
    path: ["history"],
    summary: "Show who changed what: users, tokens, roles, servers",
    load: async () => (await import("./commands/history.ts")).command,
  },
  {
    path: ["mcp", "list"],
    summary: "List the servers in the configuration",
    load: async () => (await import("./commands/mcp/list.ts")).list,
  },
  {
    path: ["mcp", "add"],
    summary: "Add a server: a command, a URL, or JSON from a README",
    load: async () => (await import("./commands/mcp/add.ts")).add,
  },
  {
    path: ["mcp", "remove"],
    summary: "Remove servers, with the secrets kept for them",
    load: async () => (await import("./commands/mcp/remove.ts")).remove,
  },
  {
    path: ["mcp", "enable"],
    summary: "Connect to servers again",
    load: async () => (await import("./commands/mcp/enable.ts")).enable,
  },
  {
    path: ["mcp", "disable"],
    summary: "Keep servers in the configuration without connecting to them",
    load: async () => (await import("./commands/mcp/disable.ts")).disable,
  },
  {
    path: ["mcp", "tokens"],
    summary: "Count what the servers' tools cost a language model in tokens",
    load: async () => (await import("./commands/mcp/tokens.ts")).tokens,
  },
  {
    path: ["mcp", "import"],
    summary: "Take over the servers that other programs have",
    load: async () => (await import("./commands/mcp/import.ts")).importServers,
  },
  {
    path: ["mcp", "approve"],
    summary: "See and approve what servers offer that they did not offer before",
    load: async () => (await import("./commands/mcp/approve.ts")).approve,
  },
  {
    path: ["mcp", "restore"],
    summary: "Undo the last change to a server's entry in the configuration",
    load: async () => (await import("./commands/mcp.ts")).restore,
  },
  {
    path: ["admin", "purge"],
    summary: "Remove for good what was removed before a time",
    load: async () => (await import("./commands/admin.ts")).purge,
  },
  {
    path: ["doctor"],
    summary: "Look at everything that OneDoor stands on, and say what mends it",
    load: async () => (await import("./commands/doctor.ts")).command,
  },
  {
    path: ["completion"],
    summary: "Print the completion script of a shell",
    load: async () => (await import("./commands/completion.ts")).command,
  },
];

/** Words that only hold other commands. */
export const commandGroups: Readonly<Record<string, string>> = {
  auth: "Sign in to servers and look after the saved profiles",
  org: "The gateway's organisations",
  user: "The gateway's users",
  member: "Who may do what in which organisation",
  token: "The tokens that the gateway gives out",
  mcp: "The servers in the gateway's configuration",
  preset: "Choices of servers that have a name",
  admin: "What concerns the whole gateway",
};
