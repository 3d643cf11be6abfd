/**
 * One spelling for each address, so that an instance is found however it was registered and asked for: IPv6 without brackets, in lower
 * case, with every group written out and no zeros before it. Anything else, an IPv4 address or a host name, stays as it is.
 */
export function canonicalIp(text: string): string {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (!bare.includes(':')) return bare;
  const [address = '', zone] = bare.toLowerCase().split('%', 2);
  const [head = '', tail, ...more] = address.split('::');
  if (more.length > 0) return bare;
  const front = groupsOf(head);
  const back = tail === undefined ? [] : groupsOf(tail);
  const missing = GROUPS - front.length - back.length;
  if (tail === undefined ? missing !== 0 : missing < 0) return bare;
  const groups = [...front, ...Array<string>(missing).fill('0'), ...back];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))) return bare;
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}${zone === undefined ? '' : `%${zone}`}`;
}

const GROUPS = 8;

/** The last two groups may be written as an IPv4 address. */
function groupsOf(text: string): string[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    const [, ...bytes] = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(group) ?? [];
    const [a, b, c, d] = bytes.map(Number);
    if (a === undefined || b === undefined || c === undefined || d === undefined) return [group];
    return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
  });
}
