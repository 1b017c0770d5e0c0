/** One sample of a page. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const metricName = /[a-zA-Z_:][a-zA-Z0-9_:]*/u.source;
const label = /[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"/u.source;
const sampleLine = new RegExp(
  `^(${metricName})(?:\\{((?:${label})(?:,${label})*)\\})? (-?\\d+(?:\\.\\d+)?(?:e[+-]\\d+)?|[+-]Inf|NaN)$`,
  "u",
);
const commentLine = new RegExp(
  `^# (?:HELP (${metricName}) [^\\n]*|TYPE (${metricName}) (?:counter|gauge|histogram))$`,
  "u",
);

/**
 * Reads a page of Prometheus' text format 0.0.4.
 * @throws Error for a line that is none, a sample whose metric was not announced, and a sample told twice
 */
export function readPage(page: string): Sample[] {
  if (!page.endsWith("\n")) throw new Error("The last line does not end");
  const samples: Sample[] = [];
  const seen = new Set<string>();
  const announced = new Set<string>();
  for (const line of page.slice(0, -1).split("\n")) {
    if (line === "") continue;
    const comment = commentLine.exec(line);
    if (comment !== null) {
      announced.add(comment[1] ?? comment[2] ?? "");
      continue;
    }
    const [, name, labels = "", value] = sampleLine.exec(line) ?? [];
    if (name === undefined) throw new Error(`No line of the format: ${JSON.stringify(line)}`);
    if (!announced.has(name) && !announced.has(name.replace(/_(?:bucket|sum|count)$/u, ""))) {
      throw new Error(`Not announced: ${name}`);
    }
    const key = line.slice(0, line.lastIndexOf(" "));
    if (seen.has(key)) throw new Error(`Told twice: ${key}`);
    seen.add(key);
    samples.push({ name, labels: readLabels(labels), value: Number(value) });
  }
  return samples;
}

function readLabels(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"/gu)].map(
      ([, name, value = ""]) => [
        name,
        value.replaceAll(/\\(["\\n])/gu, (_all, escaped: string) =>
          escaped === "n" ? "\n" : escaped,
        ),
      ],
    ),
  );
}

/** The value of the one sample with this name and at least these labels; undefined when there is none. */
export function valueOf(
  samples: readonly Sample[],
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  return samples.find(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  )?.value;
}
