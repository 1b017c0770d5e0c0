import { AppError } from "../../core/errors.ts";

/** Where all options are that a wrong one can be meant for. */
export const loginHelp = "agent auth login --help";

/** What of a sign-in's options says by which way the token comes. */
export interface WayOptions {
  token?: string | undefined;
  local: boolean;
  web: boolean;
  device: boolean;
  clientCredentials: boolean;
  email?: string | undefined;
}

/** `any`: nobody said; the first that applies (contract §2 "Which token"). */
export type ChosenWay = "token" | "local" | "web" | "device" | "client" | "password" | "any";

/** The one way that the command line asks for. @throws AppError `usage` when it asks for several */
export function chosenWay(options: WayOptions): ChosenWay {
  const asked = (
    [
      ["--token", "token", options.token !== undefined],
      ["--local", "local", options.local],
      ["--web", "web", options.web],
      ["--device", "device", options.device],
      ["--client-credentials", "client", options.clientCredentials],
      ["--email", "password", options.email !== undefined],
    ] as const
  ).filter(([, , isAsked]) => isAsked);
  const [first, second] = asked;
  if (first !== undefined && second !== undefined) {
    throw new AppError("usage", `${first[0]} and ${second[0]} are two ways; take one`, {
      hint: loginHelp,
    });
  }
  return first?.[1] ?? "any";
}
