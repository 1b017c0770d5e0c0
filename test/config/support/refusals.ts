import { useConfigurationFolder } from "./configuration-folder.ts";

/** A refused form of something, and the key and reason that it is refused with. */
export type RefusedRow = [what: string, options: unknown, refusal: string];

/** As `useConfigurationFolder`, with the refusals of one entry of `auth`. */
export function useRefusals() {
  const { load, problem } = useConfigurationFolder();
  /** What is wrong with one entry: key and reason, without file, line and `auth.options`. */
  const refusalOf = async (type: string, options: unknown): Promise<string> => {
    const [message] = await problem({ auth: { type, options } });
    return message.replace(/^FILE:\d+: auth\.?(?:options\.?)?/u, "");
  };
  return { load, problem, refusalOf };
}
