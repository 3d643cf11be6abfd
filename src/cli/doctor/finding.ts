/** What one look has found: it is well, it will do for now, or it is why something does not work. */
export interface Finding {
  readonly check: string;
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly says: string;
  /** What to do about it. */
  readonly todo?: string;
}

export function ok(check: string, says: string): Finding {
  return { check, verdict: 'ok', says };
}

export function warn(check: string, says: string, todo: string): Finding {
  return { check, verdict: 'warn', says, todo };
}

export function fail(check: string, says: string, todo: string): Finding {
  return { check, verdict: 'fail', says, todo };
}

/** In the unit that people read: 512 MiB, 1.5 GiB. */
export function bytesText(bytes: number): string {
  const [size, unit] = bytes >= 2 ** 30 ? [bytes / 2 ** 30, 'GiB'] : [bytes / 2 ** 20, 'MiB'];
  return `${size >= 10 ? Math.round(size) : Math.round(size * 10) / 10} ${unit}`;
}
