import { figureOf, targetOf } from "./table.mjs";

/** @typedef {import("./report.mjs").Report} Report */
/** @typedef {import("./report.mjs").ReportedRow} ReportedRow */

const rowHeight = 22;
const margin = 20;
/** From nothing to twice the target, which so stands in the middle; what is more is cut there. */
const barWidth = 280;
const mostShare = 2;
/** Of the widest font that may be there. */
const characterWidth = 7.6;
const figureWidth = 88;
const targetWidth = 106;
const verdictWidth = 56;

/** Both schemes with a ground of their own, so that it can be read whatever it is laid on. */
const style = `
  .ground { fill: #ffffff; stroke: #d0d7de }
  text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
  .title { font-size: 17px; font-weight: 600 }
  .name { font-weight: 600 }
  .muted { fill: #59636e; font-size: 12px }
  .end { text-anchor: end; font-variant-numeric: tabular-nums }
  .track { fill: #eff2f5 }
  .met { fill: #2f7fd1 }
  .missed { fill: #c4440f }
  text.met { fill: #1f6cb8 }
  text.missed { font-weight: 600 }
  .target, .floor { stroke: #1f2328; stroke-width: 3 }
  .floor { stroke-width: 1 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; stroke: #3d444d }
    text { fill: #f0f6fc }
    .muted { fill: #9198a1 }
    .track { fill: #212830 }
    .met { fill: #388bfd }
    .missed { fill: #f0883e }
    text.met { fill: #79b8ff }
    .target, .floor { stroke: #f0f6fc }
  }
`;

/**
 * Draws each figure as a bar against its target.
 * @param {Report} report
 * @returns {string} an SVG document that fits a light and a dark page (prefers-color-scheme)
 */
export function drawPicture({ version, date, machine, benchmarks }) {
  const labels = benchmarks.flatMap(({ rows }) => rows.map(({ what }) => what.length));
  const barX = margin + 12 + Math.max(220, Math.max(0, ...labels) * characterWidth);
  const width = Math.ceil(barX + barWidth + figureWidth + targetWidth + verdictWidth + margin + 16);
  /** @type {string[]} */
  const parts = [];
  let y = margin + 18;
  /** @param {string} text @param {string} kind */
  const line = (text, kind) => {
    parts.push(`<text class="${kind}" x="${margin}" y="${y}">${escaped(text)}</text>`);
  };
  line(`OneDoor ${version} against its targets`, "title");
  y += rowHeight;
  line(
    "A bar past the line has missed its target; where more is better it is drawn the other way round. So shorter is always better.",
    "muted",
  );
  y += 18;
  line(
    "Thick line: the target. Thin line: 1.0×, as good as what it is compared with. Bars are cut at twice the target.",
    "muted",
  );
  for (const { name, about, rows } of benchmarks) {
    y += rowHeight + 12;
    parts.push(
      `<text x="${margin}" y="${y}"><tspan class="name">${escaped(name)}</tspan><tspan class="muted" dx="10">${escaped(about)}</tspan></text>`,
    );
    for (const row of rows) {
      y += rowHeight;
      parts.push(...drawRow(row, barX, y));
    }
  }
  y += rowHeight + 14;
  line(
    `${date.slice(0, 10)}, ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node.replace(/^v/u, "")}`,
    "muted",
  );
  const height = y + margin;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>OneDoor ${escaped(version)}: what was measured, against its targets</title>
<style>${style}</style>
<rect class="ground" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${parts.join("\n")}
</svg>
`;
}

/** @param {ReportedRow} row @param {number} barX @param {number} y the line that its text stands on */
function drawRow(row, barX, y) {
  const top = y - 12;
  const figureX = barX + barWidth + figureWidth;
  const parts = [
    `<text x="${margin + 12}" y="${y}">${escaped(row.what)}</text>`,
    `<text class="end" x="${figureX}" y="${y}">${escaped(figureOf(row))}</text>`,
  ];
  const share = shareOf(row, row.value);
  if (share === undefined) return parts;
  const verdict = row.verdict === "met" ? "met" : "missed";
  parts.push(
    `<text class="muted end" x="${figureX + targetWidth}" y="${y}">${escaped(targetOf(row))}</text>`,
    `<text class="${verdict}" x="${figureX + targetWidth + 16}" y="${y}">${verdict}</text>`,
    `<rect class="track" x="${barX}" y="${top}" width="${barWidth}" height="14"/>`,
    drawBar(verdict, share, barX, top),
  );
  // What the same work costs without the program: nothing that is measured in other units has such a floor.
  const floor = row.unit === "×" ? shareOf(row, 1) : undefined;
  if (floor !== undefined && floor < mostShare && Math.abs(floor - 1) > 0.01)
    parts.push(upright("floor", barX + inBar(floor), top));
  parts.push(upright("target", barX + inBar(1), top));
  return parts;
}

/** @param {string} kind @param {number} share @param {number} x @param {number} top */
function drawBar(kind, share, x, top) {
  const end = inBar(share);
  if (share <= mostShare)
    return `<rect class="${kind}" x="${x}" y="${top + 2}" width="${end}" height="10"/>`;
  // A point at its end: it goes on.
  return `<path class="${kind}" d="M${x} ${top + 2}h${end - 6}l6 5l-6 5h${6 - end}z"/>`;
}

/** @param {string} kind @param {number} x @param {number} top */
function upright(kind, x, top) {
  return `<line class="${kind}" x1="${x}" y1="${top - 2}" x2="${x}" y2="${top + 16}"/>`;
}

/**
 * How much of its target a figure takes: 1 is all of it, more has missed it.
 * @param {ReportedRow} row
 * @param {number} value
 * @returns {number | undefined} undefined without a target
 */
function shareOf({ target }, value) {
  if (target?.most !== undefined) return value / target.most;
  if (target?.least !== undefined) return target.least / value;
  return undefined;
}

/** @param {number} share @returns {number} how far from the left of the bar, in pixels */
function inBar(share) {
  return Math.round((Math.min(share, mostShare) / mostShare) * barWidth * 10) / 10;
}

/** @param {string} text as XML has it between tags */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
