import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { Scheduler } from '../wire/scheduler.ts';

/** Whoever has started the process, and wants to know how it is. */
export interface Supervisor {
  /** Requests are answered from now on. */
  readonly ready: () => void;
  readonly stopping: () => void;
}

/**
 * systemd, if it has asked to be told (`Type=notify`), and that the event loop turns, if it wants that too (`WatchdogSec=`). Node has no
 * datagrams over Unix sockets, so `systemd-notify` sends them: in a small shell that is started while the process is small as well. To
 * start it each time from a process of 1 GB would stop that for 50 ms.
 */
export function systemdOf(env: Readonly<Record<string, string | undefined>>, scheduler: Scheduler, log: Logger): Supervisor {
  if (!env.NOTIFY_SOCKET) return { ready() {}, stopping() {} };
  const tell = teller(log);
  return {
    ready() {
      tell('READY=1');
      const periodMs = watchdogMs(env) / 2;
      if (periodMs >= 1) scheduler.every(Math.floor(periodMs), () => tell('WATCHDOG=1'));
    },
    stopping: () => tell('STOPPING=1'),
  };
}

/** 0: it is not wanted, or of another process. */
function watchdogMs({ WATCHDOG_USEC = '', WATCHDOG_PID = '' }: Readonly<Record<string, string | undefined>>): number {
  if (WATCHDOG_PID !== '' && WATCHDOG_PID !== String(process.pid)) return 0;
  return /^\d{1,15}$/.test(WATCHDOG_USEC) ? Number(WATCHDOG_USEC) / 1_000 : 0;
}

/** It ends with this process, whatever becomes of that: there is nothing more to read then. */
const LOOP = 'while read -r state; do systemd-notify "$state" || echo "$?"; done';

/** Only the first thing that goes wrong is worth a line: the rest is the same again. */
function teller(log: Logger): (state: string) => void {
  const shell = spawn('/bin/sh', ['-c', LOOP], { stdio: ['pipe', 'pipe', 'ignore'] });
  let hasFailed = false;
  const failed = (facts: object) => {
    if (!hasFailed) log.warn(facts, 'systemd is not told how it goes: systemd-notify cannot be run, or fails');
    hasFailed = true;
  };
  shell.on('error', (err) => failed({ err }));
  shell.stdin.on('error', (err) => failed({ err }));
  // 127: there is none.
  shell.stdout.on('data', (codes: Buffer) => failed({ exitCode: Number.parseInt(codes.toString(), 10) }));
  // Nothing of it keeps this process alive.
  shell.unref();
  for (const pipe of [shell.stdin, shell.stdout]) if (pipe instanceof Socket) pipe.unref();
  return (state) => void shell.stdin.write(`${state}\n`);
}
