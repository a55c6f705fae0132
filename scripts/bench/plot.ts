/** A plot of bars as SVG. Pure. */
import { numeral } from './table.ts';

export interface Bar {
  label: string;
  /** How often the reference, which is 1, goes into it. */
  ratio: number;
  /** Whether it is what the plot is about. */
  isOurs: boolean;
}

const WIDTH = 760;
const LABEL_WIDTH = 330;
const LINE_HEIGHT = 30;
const BAR_HEIGHT = 18;
const TOP = 44;
/** Bars longer than this are cut, so that the others can be told apart. */
const MOST = 6;
/** Of 1, in pixels; beyond the longest bar its figure has to fit. */
const SCALE = (WIDTH - LABEL_WIDTH - 70) / MOST;

/** Readable on a light and on a dark page, which show through. */
export function plotOf(title: string, bars: Bar[]): string {
  const height = TOP + bars.length * LINE_HEIGHT + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 15px; }
  .bar { fill: #8c959f; }
  .ours { fill: #0969da; }
  .reference { stroke: #1f2328; stroke-dasharray: 2 3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .bar { fill: #7d8590; }
    .ours { fill: #4493f8; }
    .reference { stroke: #e6edf3; }
  }
</style>
<text class="title" x="0" y="18">${escaped(title)}</text>
${bars.map(lineOf).join('\n')}
<line class="reference" x1="${LABEL_WIDTH + SCALE}" x2="${LABEL_WIDTH + SCALE}" y1="${TOP - 10}" y2="${height - 4}"/>
</svg>
`;
}

function lineOf({ label, ratio, isOurs }: Bar, index: number): string {
  const y = TOP + index * LINE_HEIGHT;
  const width = Math.round(Math.min(ratio, MOST) * SCALE);
  const end = LABEL_WIDTH + width;
  const [top, bottom] = [y, y + BAR_HEIGHT];
  // Slanted where it is cut.
  const shape = `M${LABEL_WIDTH} ${top}H${end}L${ratio > MOST ? end - 8 : end} ${bottom}H${LABEL_WIDTH}Z`;
  const textY = y + BAR_HEIGHT - 4;
  return `<text x="${LABEL_WIDTH - 10}" y="${textY}" text-anchor="end">${escaped(label)}</text>
<path class="bar${isOurs ? ' ours' : ''}" d="${shape}"/>
<text x="${end + 8}" y="${textY}">${numeral(ratio)} ×</text>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
