/** What stands in lists with commas between, one list or several; empty where nothing stands beside a comma. */
export function splitTags(lists: readonly string[]): string[] {
  return lists.flatMap((list) => list.split(",")).map((tag) => tag.trim());
}
