import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { Command } from 'commander';
import { OptionsError } from '../../options.ts';
import { descriptorLimit } from '../../wire/descriptors.ts';
import type { Client } from '../client/connection-flags.ts';
import type { Output } from '../client/output.ts';
import type { Colour } from '../client/terminal.ts';
import { configCheck } from '../config-check.ts';
import { type Given, settingsOf } from '../flags.ts';
import type { Settings } from '../settings.ts';
import { certificateFindings } from './certificate.ts';
import { type Finding, fail, ok } from './finding.ts';
import { descriptorFinding, type Memory, memoryFinding, nodeFinding } from './machine.ts';
import { descriptorLimitOf } from './owners.ts';
import { lookAtPorts, reachable } from './ports.ts';
import { serverFindings } from './server.ts';
import { storeFindings } from './store.ts';

/** What `doctor` is told, by what commander calls it: what serve would be told, and which server to ask. */
export interface DoctorMeans {
  readonly given: Given;
  readonly command: Command;
  /** The server, by an address that it has unless somebody named another. */
  readonly clientAt: (addr: string) => Client;
  readonly isNamed: boolean;
}

/**
 * Looks at this machine, as serve would find it with these options, and at a server that runs; changes nothing. Answers the exit code: 1
 * when something has failed.
 */
export async function doctor({ given, command, clientAt, isNamed }: DoctorMeans): Promise<number> {
  const { settings, findings } = await lookAtOptions(given, command);
  const addr = settings && addrOf(settings);
  const { target, output } = clientAt(addr ?? '');
  const all = [nodeFinding(process.versions.node), ...findings];
  if (settings !== undefined) all.push(...(await lookAtMachine(settings, target)));
  if (isNamed || addr !== undefined) all.push(...(await serverFindings({ target, isNamed, wallClock: Date.now })));
  tell(all, output);
  return all.some(({ verdict }) => verdict === 'fail') ? 1 : 0;
}

interface OptionsSeen {
  /** Undefined: they are no good, and nothing can be looked at by them. */
  readonly settings: Settings | undefined;
  readonly findings: readonly Finding[];
}

async function lookAtOptions(given: Given, command: Command): Promise<OptionsSeen> {
  let settings: Settings | undefined;
  try {
    settings = settingsOf(given, command);
    return { settings, findings: [ok('options', (await configCheck(settings)).trimEnd())] };
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    return { settings, findings: error.faults.map((fault) => fail('options', fault, 'put it right: serve does not start')) };
  }
}

async function lookAtMachine(settings: Settings, target: Client['target']): Promise<readonly Finding[]> {
  const { options } = settings;
  const { findings: ports, running } = await lookAtPorts(options, target);
  const runningLimit = running && descriptorLimitOf(running.pid);
  return [
    runningLimit === undefined
      ? descriptorFinding(descriptorLimit(), 'a process from here', options)
      : descriptorFinding(runningLimit, `the beatbridge that runs here (pid ${running?.pid})`, options),
    memoryFinding(memory(), options),
    ...ports,
    ...(await certificateFindings(settings, Date.now())),
    ...(await storeFindings(options.dataDir)),
  ];
}

function memory(): Memory {
  const machine = totalmem();
  // 0, or more than there is, where nothing constrains it.
  const constrained = process.constrainedMemory?.() ?? 0;
  const isContainer = constrained > 0 && constrained < machine;
  return { totalBytes: isContainer ? constrained : machine, isContainer, heapBytes: getHeapStatistics().heap_size_limit };
}

const COLOURS: Readonly<Record<Finding['verdict'], Colour | undefined>> = { ok: undefined, warn: 'yellow', fail: 'red' };

function tell(findings: readonly Finding[], output: Output): void {
  const count = (wanted: Finding['verdict']) => findings.filter(({ verdict }) => verdict === wanted).length;
  if (output.isJson) {
    output.json({ ok: count('ok'), warn: count('warn'), fail: count('fail'), findings });
    return;
  }
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const { check, verdict, says, todo } of findings) {
    output.line(`${verdict.padEnd(4)}  ${check.padEnd(width)}  ${says}`, COLOURS[verdict]);
    if (todo !== undefined) output.line(`${' '.repeat(width + 8)}${todo}`);
  }
  output.line(`${count('fail')} failed, ${count('warn')} to look at, ${count('ok')} well`);
}

/** Where a server is with these options. Undefined: on whatever port is free. */
function addrOf({ options: { host, port } }: Settings): string | undefined {
  const there = reachable(host);
  return port === 0 ? undefined : `${there.includes(':') ? `[${there}]` : there}:${port}`;
}
