/** What the audit of a gateway says of a call beside who made it: told by the caller, believed by nobody. */
export interface SelfDescription {
  clientName: string;
  /** Groups calls that belong together. */
  sessionId?: string | undefined;
  projectId?: string | undefined;
}

/** The headers that tell a gateway so. */
export function selfDescription({
  clientName,
  sessionId,
  projectId,
}: Partial<SelfDescription>): Record<string, string> {
  return {
    ...(clientName && { "x-onedoor-client": headerText(clientName) }),
    ...(sessionId && { "x-onedoor-session": headerText(sessionId) }),
    ...(projectId && { "x-onedoor-project": headerText(projectId) }),
  };
}

/** A header value that any peer takes: printable ASCII, at most 200 characters. */
function headerText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/gu, "?").slice(0, 200);
}
