/** How an instance is checked actively, and what a check can find. */

/** `port` undefined: the port of the instance itself. */
export type Check = CheckKind & { readonly port: number | undefined };

/** `none`: the health of an instance is what it is told. `verify`: whether the certificate of a TLS port must be trusted. */
export type CheckKind =
  | { readonly type: 'tcp' }
  | {
      readonly type: 'http';
      /** Begins with a slash; a query may follow. */
      readonly path: string;
      /** `NAME:VALUE|NAME:VALUE` */
      readonly headers: string;
      readonly expectedResponseCode: number;
      readonly tls: boolean;
      readonly verify: boolean;
    }
  | { readonly type: 'mysql'; readonly user: string; readonly password: string; readonly command: string }
  /** The instance's own grpc.health.v1.Health; service "" is the whole of it. */
  | { readonly type: 'grpc'; readonly service: string; readonly tls: boolean; readonly verify: boolean }
  | { readonly type: 'none' };

export type CheckType = CheckKind['type'];

/** Whether no check may set the header: it says who asks and whom, or how the connection is used. */
export function isReservedHeader(name: string): boolean {
  return RESERVED_HEADER.test(name);
}

const RESERVED_HEADER =
  /^(?:host|authorization|cookie2?|proxy-.*|connection|keep-alive|te|trailers?|transfer-encoding|upgrade|http2-settings|content-length|expect)$/i;

export const DEFAULT_CHECK: Check = { type: 'tcp', port: undefined };

/**
 * Why an instance is not as its check would have it. `failing`: the check is made, and has failed. `unchecked`: it cannot be made, so
 * that the instance is as it says itself. The words are constant: nothing that the other side sent is among them.
 */
export interface CheckTrouble {
  readonly verdict: 'failing' | 'unchecked';
  readonly type: CheckType;
  readonly reason: TroubleReason;
}

export type TroubleReason =
  | 'refused'
  | 'timed out'
  | 'connection failed'
  | 'connection ended'
  | 'certificate not trusted'
  | 'no TLS'
  | 'unexpected status'
  | 'redirected'
  | 'not HTTP'
  | 'not gRPC'
  | 'NOT_SERVING'
  | 'SERVICE_UNKNOWN'
  | 'UNIMPLEMENTED'
  | 'call failed'
  | 'login refused'
  | 'read-only'
  | 'query failed'
  | 'not MySQL'
  | 'check failed'
  | 'address not allowed'
  | 'host names are not resolved'
  | 'host name not found';

/** What was found of an instance: its check passes, it is not checked, or there is trouble. */
export type CheckVerdict = 'passing' | 'unchecked' | CheckTrouble;
