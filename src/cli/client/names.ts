import { UsageError } from './failures.ts';

/** The name of a service as a command is told it: `NAME[?namespace=N&group=G]`, as health takes it, with flags for the same. */

export interface Named {
  readonly service: string;
  readonly namespace: string | undefined;
  readonly group: string | undefined;
  /** What else the name says. */
  readonly others: URLSearchParams;
}

interface NameFlags {
  readonly namespace?: string;
  readonly group?: string;
}

/** Throws `UsageError` where the name and the flags say two things. */
export function partsOf(name: string, flags: NameFlags): Named {
  const at = name.indexOf('?');
  const service = at < 0 ? name : name.slice(0, at);
  const others = new URLSearchParams(at < 0 ? '' : name.slice(at + 1));
  const faults: string[] = [];
  const part = (key: 'namespace' | 'group') => {
    const inName = others.get(key) ?? undefined;
    others.delete(key);
    const inFlag = flags[key];
    if (inName !== undefined && inFlag !== undefined && inName !== inFlag)
      faults.push(`--${key} and the name say different things`);
    return inFlag ?? inName;
  };
  const [namespace, group] = [part('namespace'), part('group')];
  if (group !== undefined && service.includes('@@') && !service.startsWith(`${group}@@`))
    faults.push('--group and the name say different things');
  if (faults.length > 0) throw new UsageError(faults);
  return { service, namespace, group, others };
}

/** The same as health is asked by it. */
export function healthName({ service, namespace, group, others }: Named): string {
  const query = new URLSearchParams(others);
  if (namespace !== undefined) query.set('namespace', namespace);
  if (group !== undefined && !service.includes('@@')) query.set('group', group);
  return query.size === 0 ? service : `${service}?${query}`;
}
