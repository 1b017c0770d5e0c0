import { expect, test } from "vitest";
import { listeningOn } from "../../../src/cli/serve/listening-on.ts";

const four = "http://127.0.0.1:3050";
const six = "http://[::1]:3050";

test.each<[string[], string[], string]>([
  [[four, six], [four, six], `Listening on ${four} and ${six}`],
  [
    ["http://0.0.0.0:3050"],
    [four],
    `Listening on http://0.0.0.0:3050 and, for the commands of this machine, ${four}`,
  ],
  [
    ["https://192.0.2.1:3050"],
    [four, six],
    `Listening on https://192.0.2.1:3050 and, for the commands of this machine, ${four} and ${six}`,
  ],
  [["http://192.0.2.1:3050"], [], "Listening on http://192.0.2.1:3050"],
])("%j with %j", (urls, localUrls, sentence) => {
  expect(listeningOn({ urls, localUrls })).toBe(sentence);
});
