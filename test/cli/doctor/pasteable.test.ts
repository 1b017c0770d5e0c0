import { expect, test } from "vitest";
import { pasteable } from "../../../src/cli/doctor/pasteable.ts";
import { shellPath } from "../../../src/cli/doctor/shell-path.ts";

const home = "/home/annette";

test.each([
  ["/home/annette/.config/x and /home/annette/y", "~/.config/x and ~/y"],
  ["mail to annette.b+x@example.co.uk, please", "mail to a***@example.co.uk, please"],
  ["two\nlines\u001b[31m", "two lines\\x1b[31m"],
  ["Authorization: Bearer abcdefghijklmnopqrstuvwxyz012345", "[redacted]"],
  ["it says https://user:hunter22@proxy.example.com/ is wrong", "[redacted]"],
  ["it says ?access_token=abcdef123456", "[redacted]"],
  ["od_abcdefghijklmnopqrstuvwxyz0123456789abcdefg", "[redacted]"],
])("%j is shown with %j", (message, part) => {
  const shown = pasteable(message, home);
  expect(shown).toContain(part);
  expect(shown).not.toMatch(/annette|hunter22|abcdef123456|\n|abcdefghijklm/u);
});

test.each([
  ["/home/annette/.config/onedoor", "~/.config/onedoor"],
  ["/home/annette/Library/Application Support/x", "~/'Library/Application Support/x'"],
  ["/home/annettes/x", "/home/annettes/x"],
  ["/etc/a b", "'/etc/a b'"],
  ["/home/annette", "~"],
])("the path %j is written %j for a shell", (path, shown) => {
  expect(shellPath(path, home)).toBe(shown);
});
