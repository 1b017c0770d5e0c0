import type { Histogram, Registry } from "prom-client";

type Labels = Readonly<Record<string, string | number>>;

/** The values of one set of labels. */
export interface HistogramSeries {
  readonly labels: Labels;
  observe(value: number): void;
}

/**
 * A histogram whose series are made once and then counted in without looking for them: prom-client spells out the labels
 * of a series for each value, which takes a call as long as all else that is counted of it.
 */
interface BoundHistogram {
  /** The series of these labels, the same for the same values of the same names. */
  series(labels: Labels): HistogramSeries;
  remove(series: HistogramSeries): void;
}

class Series implements HistogramSeries {
  readonly labels: Labels;
  readonly #bounds: readonly number[];
  /** For each bound what is not above it and above the one before; the last one is for what is above all. */
  readonly #counts: number[];
  #sum = 0;

  constructor(labels: Labels, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.#counts = [...bounds, Infinity].map(() => 0);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] ?? Infinity)) at += 1;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  /** Its lines of the page (Prometheus' text format 0.0.4, "Histograms and summaries"). */
  lines(name: string): { metricName: string; labels: Labels; value: number }[] {
    const { labels } = this;
    let count = 0;
    const buckets = this.#counts.map((own, at) => {
      count += own;
      const le = this.#bounds[at] ?? "+Inf";
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}

/** @param options.buckets upper bounds, rising */
export function createBoundHistogram(
  registry: Registry,
  { name, help, buckets }: { name: string; help: string; buckets: readonly number[] },
): BoundHistogram {
  const all = new Map<string, Series>();
  const metric = {
    name,
    help,
    type: "histogram",
    aggregator: "sum",
    get: () =>
      Promise.resolve({
        name,
        help,
        type: "histogram",
        values: [...all.values()].flatMap((one) => one.lines(name)),
      }),
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that a registry asks of a metric for its page
  registry.registerMetric(metric as unknown as Histogram);
  return {
    series(labels) {
      const key = JSON.stringify(labels);
      const known = all.get(key);
      if (known !== undefined) return known;
      const series = new Series(labels, buckets);
      all.set(key, series);
      return series;
    },
    remove({ labels }) {
      all.delete(JSON.stringify(labels));
    },
  };
}
