/**
 * The beginning of a text, at most `limit` characters (Unicode code points), and below it a line that says how much
 * that is; a text that is no longer than that, as it is. Ends with a line end.
 */
export function cutText(text: string, limit: number): string {
  const ended = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  // A text of so few units has no more characters.
  if (text.length <= limit) return ended;
  let end = 0;
  let total = 0;
  for (const character of text) {
    total += 1;
    if (total <= limit) end += character.length;
  }
  if (total <= limit) return ended;
  const kept = text.slice(0, end).replace(/\n$/u, "");
  return `${kept}\n… (cut: ${counted(limit)} of ${counted(total)} characters shown; --max-chars ${total} shows all)\n`;
}

function counted(number: number): string {
  return number.toLocaleString("en-GB");
}
