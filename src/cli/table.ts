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
    summary: "Save a verified bearer profile for a server",
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
    path: ["completion"],
    summary: "Print the completion script of a shell",
    load: async () => (await import("./commands/completion.ts")).command,
  },
];

/** Words that only hold other commands. */
export const commandGroups: Readonly<Record<string, string>> = {
  auth: "Sign in to servers and look after the saved profiles",
};
