/** What tells the requests of browsers from those of machines. A page can change some of it, and never take all of it away. */

/** A field of a request's header, its name in lower case, that no client but a browser sends. Every field of every beat comes by here. */
export function isBrowserField(name: string, value: string): boolean {
  switch (name.charCodeAt(0)) {
    case 0x61: // a
      return name === 'accept-language';
    case 0x63: // c
      return name === 'cookie';
    case 0x6f: // o
      return name === 'origin';
    case 0x72: // r
      return name === 'referer';
    case 0x73: // s
      return name.startsWith('sec-fetch-');
    case 0x75: // u
      return name === 'user-agent' && value.startsWith('Mozilla/');
    default:
      return false;
  }
}

/** Whether a browser has sent it. */
export function isOfBrowser(headers: Headers): boolean {
  for (const name in headers) if (isBrowserField(name, textOf(headers[name]))) return !isOfNode(headers);
  return false;
}

/** As Node gives them: names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Node's fetch looks like a browser by two headers, and is what scripts and clients of ours ask with, by any name of this server. From
 * version 26 it says its mode only to addresses that could be trusted, as browsers do. No page can look like it: a page may ask for any
 * language, but cannot take away what its browser calls itself, nor where it says that a request comes from along with its mode.
 */
function isOfNode(headers: Headers): boolean {
  const mode = headers['sec-fetch-mode'];
  if ((mode !== undefined && mode !== 'cors') || headers['accept-language'] !== '*') return false;
  const others = ['sec-fetch-site', 'sec-fetch-dest', 'origin', 'referer', 'cookie'];
  return !others.some((name) => headers[name] !== undefined) && !textOf(headers['user-agent']).startsWith('Mozilla/');
}

function textOf(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.[0] ?? '');
}
