/** What was measured, as lines of one table: each a figure of ours beside that of a peer, and whether it is as it should be. */

/** How figures are called and written. */
const FIGURES = {
  perSecond: { unit: '/s', digits: 0 },
  perCpuSecond: { unit: '/s of CPU', digits: 0 },
  cpuUs: { unit: 'us of CPU', digits: 1 },
  cpuMs: { unit: 'ms of CPU', digits: 1 },
  wallMs: { unit: 'ms', digits: 1 },
  p99Ms: { unit: 'ms, p99', digits: 1 },
  longestMs: { unit: 'ms, longest', digits: 1 },
  heldBytes: { unit: 'bytes held', digits: 0 },
  rssBytes: { unit: 'bytes of RSS', digits: 0 },
  heldMB: { unit: 'MB held', digits: 0 },
  checksPerSecond: { unit: 'checks/s', digits: 0 },
  cpuShare: { unit: 'of a core', digits: 3 },
  scanMs: { unit: 'ms for one pass', digits: 1 },
  quietMs: { unit: 'ms, longest turn after it', digits: 1 },
  silentMs: { unit: 'ms, longest turn while all fall silent', digits: 1 },
  readyMs: { unit: 'ms', digits: 0 },
  rssMB: { unit: 'MB of RSS', digits: 0 },
};

/**
 * A line as a work describes it: `{ figure, peer?, ours?, plus?, atLeast?, atMost?, either? }`. Without a peer the bound is one of
 * the figure itself. `plus` is what ours may be above the peer's. Of lines with the same word in `either` one is enough.
 *
 * @param {any[]} results
 * @returns {Line[]}
 * @typedef {{ row: string, measure: string, figure: string, peer: string, ours?: number, theirs?: number, value?: number, wanted?: number,
 *   atLeast: boolean, either?: string, plus: number, reached?: boolean | 'instead', missing: string }} Line
 */
export function linesOf(results) {
  return results.flatMap((result) => {
    const lines = result.lines.map((line) => lineOf(result, line));
    for (const line of lines)
      if (line.either !== undefined && line.reached === false && lines.some((other) => isInstead(other, line)))
        line.reached = 'instead';
    return lines;
  });
}

function isInstead(other, { either }) {
  return other.either === either && other.reached === true;
}

function lineOf({ name, title, subjects }, { figure, peer, ours = 'beatbridge', plus = 0, atLeast, atMost, either }) {
  const wanted = atLeast ?? atMost;
  const line = {
    row: name,
    measure: `${title}${ours === 'beatbridge' ? '' : `, ${ours}`}`,
    figure,
    peer: peer ?? '',
    wanted,
    atLeast: atLeast !== undefined,
    either,
    plus,
  };
  const [mine, other] = [subjects[ours], subjects[peer]];
  line.ours = mine?.figures?.[figure];
  line.theirs = other?.figures?.[figure];
  line.missing = [mine, other].flatMap((outcome) => outcome?.reason ?? []).join('; ');
  line.value = peer === undefined ? line.ours : line.ours / (line.theirs + plus);
  if (wanted !== undefined) line.reached = atLeast === undefined ? line.value <= wanted : line.value >= wanted;
  return line;
}

const HEAD = ['row', 'measure', 'figure', 'peer', 'ours', 'theirs', 'ratio', 'wanted', 'reached'];

/** As Markdown, for a README or a terminal. */
export function tableOf(lines) {
  const cells = lines.map((line) => [
    line.row,
    line.measure,
    FIGURES[line.figure].unit,
    line.plus > 0 ? `${line.peer} + ${line.plus}` : line.peer,
    written(line.ours, line.figure),
    line.peer === '' ? '' : written(line.theirs, line.figure),
    line.peer === '' ? '' : written(line.value),
    line.wanted === undefined ? '' : `${line.atLeast ? '>=' : '<='} ${line.wanted}`,
    reachedText(line),
  ]);
  const widths = HEAD.map((head, i) => Math.max(head.length, ...cells.map((row) => row[i].length)));
  const row = (texts) => `| ${texts.map((text, i) => text.padEnd(widths[i])).join(' | ')} |`;
  return [row(HEAD), row(widths.map((width) => '-'.repeat(width))), ...cells.map(row)].join('\n');
}

function written(value, figure) {
  if (value === undefined || Number.isNaN(value)) return '-';
  return value.toFixed(figure === undefined ? 2 : FIGURES[figure].digits);
}

function reachedText({ wanted, reached, value }) {
  if (Number.isNaN(value) || value === undefined) return 'not measured';
  if (wanted === undefined) return '';
  if (reached === 'instead') return 'by another row';
  return reached ? 'yes' : 'NO';
}

/** Whom lines lack, and why. */
export function missingIn(results) {
  const reasons = new Map();
  for (const { name, subjects } of results)
    for (const [subject, { reason, failed }] of Object.entries(subjects)) {
      if (reason === undefined) continue;
      const text = `${subject} ${failed ? 'failed' : 'is missing'}: ${reason}`;
      reasons.set(text, [...(reasons.get(text) ?? []), name]);
    }
  return [...reasons].map(([text, rows]) => `${text} (${rows.join(', ')})`);
}
