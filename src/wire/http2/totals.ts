/** What can be made to wait for less. */
interface Holder {
  /** What its peer has left unread. */
  readonly unsentBytes: number;
  /** Ends, as too much is left unread. */
  calm(): void;
}

/** What all connections of all engines of a process have waiting, and how often something was refused or ended on them. */
export class Totals {
  /** Of bodies that no handler has taken yet; and what peers have left unread. */
  unreadBytes = 0;
  unsentBytes = 0;
  /** By the reason, which is a constant each time. */
  readonly counts = new Map<string, number>();
  readonly engines: { readonly connections: Iterable<Holder> }[] = [];

  count(reason: string): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
  }

  /** So much more is left unread, or less; and no more than `limit` may be. */
  leaveUnread(bytes: number, limit: number): void {
    this.unsentBytes += bytes;
    while (this.unsentBytes > limit) {
      let most: Holder | undefined;
      for (const { connections } of this.engines)
        for (const connection of connections) if (connection.unsentBytes > (most?.unsentBytes ?? 0)) most = connection;
      if (!most) return;
      most.calm();
    }
  }
}
