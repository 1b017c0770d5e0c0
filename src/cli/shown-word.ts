/** What was given, quoted for a message and cut: it may be a token in the wrong place. */
export function shownWord(text: string): string {
  return JSON.stringify(text.length <= 30 ? text : `${text.slice(0, 8)}…`);
}
