/** What can be made to wait for less. */
interface Holder {
  /** Of bodies that no handler has taken yet; and what its peer has left unread. */
  readonly unreadBytes: number;
  readonly unsentBytes: number;
  /** Ends for that reason. */
  calm(reason: string): void;
}

/** What all connections of all engines of a process have waiting, and how often something was refused or ended on them. */
export class Totals {
  /** Of bodies that no handler has taken yet; and what peers have left unread. */
  unreadBytes = 0;
  unsentBytes = 0;
  /** By the reason, which is a constant each time. */
  readonly counts = new Map<string, number>();
  #follower: Parameters<Totals['follow']>[0] | undefined;
  readonly engines: { readonly connections: readonly Holder[] }[] = [];

  /** How many connections there are. */
  get connectionCount(): number {
    return this.engines.reduce((sum, { connections }) => sum + connections.length, 0);
  }

  count(reason: string): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
  }

  /** For a limit. */
  refuse(reason: string, peer: string | undefined): void {
    this.count(reason);
    this.#follower?.({ reason, peer });
  }

  /** Hears of each that is refused for a limit, and must be quick. One follower: the next one takes its place. */
  follow(follower: (refusal: { readonly reason: string; readonly peer: string | undefined }) => void): void {
    this.#follower = follower;
  }

  /** So much more is left unread, or less; and no more than `limit` may be. */
  leaveUnread(bytes: number, limit: number): void {
    this.unsentBytes += bytes;
    while (this.unsentBytes > limit) {
      const most = this.#most('unsentBytes');
      if (!most) return;
      most.calm('too much left unread by all');
    }
  }

  /** Whether so much more of bodies may wait to be taken: those who have more waiting than whoever asks are ended for it. */
  makeRoom(asking: Holder, bytes: number, limit: number): boolean {
    while (this.unreadBytes + bytes > limit) {
      const most = this.#most('unreadBytes');
      if (!most || most.unreadBytes <= asking.unreadBytes + bytes) return false;
      most.calm('too much that nobody takes, of all');
    }
    return true;
  }

  #most(of: 'unreadBytes' | 'unsentBytes'): Holder | undefined {
    let most: Holder | undefined;
    for (const { connections } of this.engines)
      for (const connection of connections) if (connection[of] > (most?.[of] ?? 0)) most = connection;
    return most;
  }
}
