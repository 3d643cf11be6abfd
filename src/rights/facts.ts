import type { Headers } from '../wire/browser.ts';

/** What a caller says who he is by, of parameters and headers: their names in lower case. */
export const LOGIN: ReadonlySet<string> = new Set([
  'accesstoken',
  'username',
  'password',
  'ak',
  'spas-accesskey',
  'spas-signature',
]);

/** What is asked by a request, as its surface has read it, as far as whoever guards it wants to know. */
export interface Facts {
  /** All, those that came twice too; read only where somebody has to say who he is. */
  readonly params: Iterable<readonly [name: string, value: string]>;
  /** Names and passwords in them are not the caller's. */
  readonly ownParams: boolean;
  /** The permit is asked of everything that is touched; else a right to everything is needed. */
  readonly isScoped: boolean;
  /** A GET that changes something. */
  readonly isChange: boolean;
  /** In a few words, for the log. */
  readonly example: string;
}

/** The same of a message over gRPC. */
export interface GrpcFacts {
  /** Of the request that it came in: whether a proxy has handed it on. */
  readonly headers: Headers;
  /** Of the message itself. */
  readonly payload: Readonly<Record<string, string>>;
  readonly agent: string;
  readonly example: string;
}
