import type { Headers } from './browser.ts';

/** What tells that somebody asks for another: any proxy, gateway, mesh or tunnel that says so at all. The field that says it. */
export function handOnField(headers: Headers): string | undefined {
  for (const name in headers) if (isHandOnField(name)) return name;
  return undefined;
}

/** Who is asked for, as these headers call them, and by which field: in as many words as each has, addresses or not. */
export function callersNamed(headers: Headers): readonly CallerNamed[] {
  return NAMING.flatMap((field) => {
    const said = headers[field];
    const texts = said === undefined ? [] : [said].flat().flatMap((text) => text.split(','));
    const named = field === 'forwarded' ? texts.flatMap(forOf) : texts;
    return named.flatMap((text) => (text.trim() === '' ? [] : [{ field, text: text.trim() }]));
  });
}

export interface CallerNamed {
  readonly field: string;
  readonly text: string;
}

const NAMING = [
  'x-forwarded-for',
  'x-original-forwarded-for',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-envoy-external-address',
  'cf-connecting-ip',
  'true-client-ip',
  'forwarded',
] as const;

/** Of one element of `Forwarded`: what stands behind `for`. */
function forOf(element: string): readonly string[] {
  return element.split(';').flatMap((pair) => /^\s*for\s*=\s*"?([^"]*)"?\s*$/i.exec(pair)?.[1] ?? []);
}

/** The name of a field of a header, in lower case. */
export function isHandOnField(name: string): boolean {
  switch (name.charCodeAt(0)) {
    case 0x63: // c
    case 0x66: // f
    case 0x74: // t
    case 0x76: // v
    case 0x78: // x
      return FIELDS.test(name);
    default:
      return false;
  }
}

const FIELDS =
  /^(forwarded|via|x-forwarded(-.*)?|x-real-ip|x-envoy-.*|x-client-ip|x-cluster-client-ip|x-original-forwarded-for|cf-connecting-ip|cf-ray|true-client-ip)$/;
