import type { Environment } from "../../config/environment.ts";

/** How a terminal takes images; `ask`: only it can tell. */
export type ImageTerminal = "kitty" | "iterm2" | "ask";

/**
 * What the environment says of the terminal; undefined: it shows none. NO_COLOR is about the colour of text and keeps no
 * image back. Within tmux and screen the variables are those of the terminal they were started in, which sees nothing
 * but what they pass on: they answer for themselves.
 */
export function imageTerminal({
  ci,
  terminal,
}: Pick<Environment, "ci" | "terminal">): ImageTerminal | undefined {
  const { type = "", program = "", kittyWindow, multiplexer } = terminal;
  if (ci || type === "" || type === "dumb" || type === "linux") return undefined;
  if (multiplexer || /^(?:screen|tmux)/u.test(type)) return "ask";
  if (kittyWindow || type === "xterm-kitty" || type === "xterm-ghostty") return "kitty";
  if (/^ghostty$/iu.test(program)) return "kitty";
  if (program === "iTerm.app" || program === "WezTerm") return "iterm2";
  return "ask";
}
