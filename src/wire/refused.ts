/** How often something was refused for a limit, by which one. Reasons are constants: there are as many as limits. */
export class Refused {
  readonly counts = new Map<string, number>();

  count(reason: string): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
  }
}
