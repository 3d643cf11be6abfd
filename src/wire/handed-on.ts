import type { Headers } from './browser.ts';

/** What tells that somebody asks for another: any proxy, gateway, mesh or tunnel that says so at all. */
export function isHandedOn(headers: Headers): boolean {
  for (const name in headers) if (isHandOnField(name)) return true;
  return false;
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
