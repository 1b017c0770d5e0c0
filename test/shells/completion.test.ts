import { describeCompletion } from "../cli/support/shell-completion.ts";

describeCompletion("zsh");
describeCompletion("fish");
