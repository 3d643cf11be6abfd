import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Who has a port or a file, as far as Linux tells this user. Elsewhere nobody is known. */
export interface Owner {
  readonly pid: number;
  /** The name of the program; what it was called with may have secrets in it. */
  readonly program: string;
  readonly isBeatbridge: boolean;
}

/** Whoever listens on the port of TCP. Undefined: that cannot be seen from here. */
export function ownerOfPort(port: number): Owner | undefined {
  const inodes = new Set(['tcp', 'tcp6'].flatMap((table) => listeningInodes(read(`/proc/net/${table}`), port)));
  if (inodes.size === 0) return undefined;
  let left = MOST_LOOKED_AT;
  for (const pid of entriesOf('/proc').filter((name) => /^\d+$/.test(name)))
    for (const descriptor of entriesOf(`/proc/${pid}/fd`)) {
      if (left-- <= 0) return undefined;
      const [, inode] = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${descriptor}`)) ?? [];
      if (inode !== undefined && inodes.has(inode)) return ownerOf(Number(pid));
    }
  return undefined;
}

/** A machine with many connections has more, and somebody waits. */
const MOST_LOOKED_AT = 200_000;
const LISTENING = '0A';

/** Of the table as the kernel writes it: `sl local_address rem_address st ... inode`, numbers of ports in hexadecimal. */
export function listeningInodes(table: string, port: number): readonly string[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    const isMeant = state === LISTENING && Number.parseInt(local.slice(local.indexOf(':') + 1), 16) === port;
    return isMeant && inode !== undefined ? [inode] : [];
  });
}

/** Whoever has locked a file, by its number in the file system. */
export function ownerOfLock(inode: number): Owner | undefined {
  const pid = lockHolder(read('/proc/locks'), inode);
  return pid === undefined ? undefined : ownerOf(pid);
}

/** `1: POSIX  ADVISORY  WRITE 1234 fd:01:131090 0 EOF`. */
export function lockHolder(locks: string, inode: number): number | undefined {
  for (const line of locks.split('\n')) {
    const [, pid, of] = /\bWRITE (\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line) ?? [];
    if (of !== undefined && Number(of) === inode) return Number(pid);
  }
  return undefined;
}

/** How many files and sockets that process may open; undefined where it cannot be read. */
export function descriptorLimitOf(pid: number): number | undefined {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(read(`/proc/${pid}/limits`)) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

function ownerOf(pid: number): Owner {
  const program = read(`/proc/${pid}/comm`).trim() || 'a process';
  return { pid, program, isBeatbridge: /(^|[/\0])beatbridge|dist\/cli\/main\.js/.test(read(`/proc/${pid}/cmdline`)) };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function entriesOf(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
