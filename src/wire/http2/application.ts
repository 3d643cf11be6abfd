import type { Peer, Request } from './request.ts';
import type { Stream } from './stream.ts';

/** What answers the requests of an engine. None of these may throw; what one throws all the same ends no more than it must, and is told. */
export interface Application {
  /** Asked for every field that is decoded; `Request.marks` has them all. */
  mark(name: string, value: string): number;
  /** A request has begun. Above 0: to be answered by `answer` once it is whole; 0: by `stream`, from now on. */
  route(request: Request): number;
  /** Some of the body of such a request has come, and more is to follow. False: it goes to `stream` now, with what there is. */
  mayWait(request: Request): boolean;
  /** A whole request, to be answered now by its `reply` or `open`. One that is not goes to `stream` after all. */
  answer(request: Request): void;
  /**
   * Any other request, as a stream of its own: called in the turn in which its header came, after all else that came with it. While a
   * promise that it gives is not settled the stream counts as open, even if the peer has reset it.
   */
  stream(stream: Stream): void | Promise<void>;
  /** A stream that `Request.open` had opened has been ended by the peer. */
  left(peer: Peer, id: number): void;
  /** What `append` refused may be tried again. */
  writable(peer: Peer): void;
  /** The connection has ended, and all that was open on it. */
  closed(peer: Peer): void;
  /** A connection was ended for what its peer did. Reasons are constants. */
  failed(code: number, reason: string): void;
  /** Something that the application threw. */
  bug(error: unknown): void;
}
