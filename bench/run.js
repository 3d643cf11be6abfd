/**
 * `npm run bench`: beatbridge beside its peers, in the same run, as one table. It starts whatever it measures and ends it again.
 *
 *   npm run bench -- --only check --rounds 5 --seconds 3 --json figures.json
 *
 * --only takes a part of the name of a row, or several with commas between; --list names all rows, those as well that are measured
 * only when they are asked for. --without leaves peers out by name. Nothing else should run meanwhile: by how much others were in the
 * way is said below the table.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { doubtsAbout } from './doubts.js';
import { describeMachine, joinTheLoad } from './machine.js';
import { peerVersions } from './peers/versions.js';
import { measureGroup } from './rounds.js';
import { GROUPS } from './rows/rows.js';
import { linesOf, missingIn, tableOf } from './table.js';

let noted = '';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    without: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

const [rounds, seconds] = [values.rounds, values.seconds].map(Number);
if (!(rounds >= 1 && seconds >= 1)) throw new Error('--rounds and --seconds must be numbers from 1');
const without = values.without.split(',');
const parts = values.only.split(',');
/** What is apart is not measured for having a part of its name in common with others. */
function isChosen({ name: group, apart }, { name }) {
  if (values.only === '') return values.list || !apart;
  return parts.some((part) => (apart ? part.split('/', 1)[0] === group : true) && `${group}/${name}`.includes(part));
}

const chosen = GROUPS.map((group) => ({ group, works: group.works.filter((work) => isChosen(group, work)) })).filter(
  ({ works }) => works.length > 0,
);
if (chosen.length === 0) throw new Error(`no row is called ${values.only}`);

if (values.list)
  for (const { group, works } of chosen) for (const { name, title } of works) console.log(`${group.name}/${name}: ${title}`);
else await measure();

async function measure() {
  joinTheLoad();
  const machine = { ...describeMachine(), peers: peerVersions() };
  const results = [];
  for (const { group, works } of chosen) results.push(...(await measureGroup(group, works, { rounds, seconds, without, note })));
  note('');
  const lines = linesOf(results);
  const { cpu, cores, memoryGiB, kernel, node, pinned, peers, date } = machine;
  console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}; ${pinned}; ${date}`);
  console.log(
    `beside ${Object.entries(peers)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
  );
  console.log(`median of ${rounds} rounds of ${seconds} s\n`);
  console.log(tableOf(lines));
  console.log('');
  for (const text of [...doubtsAbout(results), ...missingIn(results)]) console.log(text);
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ machine, rounds, seconds, lines, results }, null, 2)}\n`);
}

/** Says how far it is: on a terminal in its last line. */
function note(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  else if (text.split(':', 1)[0] !== noted) console.error(text.split(':', 1)[0]);
  noted = text.split(':', 1)[0];
}
