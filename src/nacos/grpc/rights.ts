import type { Permit, Scope } from '../../rights/admission.ts';

/**
 * What may still be told over a connection of what was asked for once, by who may have lost the right since. Clients subscribe once, and
 * renew their logins without a word: whatever any later call of the connection shows counts for all that its user has asked for before.
 * What is withheld meanwhile is offered again as soon as it may be told.
 */
export class Rights {
  /** What each user has shown, who is told of something over the connection, and of that what holds the longest. */
  #shown: Map<string, Permit> | undefined;
  /** By who is to be told. */
  #withheld: Map<object, Withheld> | undefined;

  /** Somebody is to be told of something by this right, for as long as it lasts. */
  relyOn(permit: Permit | undefined): void {
    if (permit?.user === undefined) return;
    this.#shown ??= new Map();
    if (this.#shown.has(permit.user)) this.brought(permit);
    else this.#shown.set(permit.user, permit);
  }

  /** A call has been let in. */
  brought(permit: Permit | undefined): void {
    if (permit?.user === undefined) return;
    const before = this.#shown?.get(permit.user);
    // Once a certificate is over, all calls of the connection are refused: that is something to rely on too.
    if (before === undefined && !permit.isByCertificate) return;
    const isLapsed = before !== undefined && before.standing() !== 'holds';
    // One client may call by two logins, of which the older comes last.
    if (before !== undefined && !isLapsed && before.until > permit.until) return;
    this.#shown ??= new Map();
    this.#shown.set(permit.user, permit);
    if (isLapsed) this.lookAgain();
  }

  /** Whether it may be told now. If not, `tell` is called once it may, unless `asker` is forgotten before. */
  mayHear(permit: Permit | undefined, scope: Scope, asker: object, tell: () => void): boolean {
    // As nearly always where nobody logs in.
    if (permit?.user === undefined) return true;
    if (this.#covers(permit, scope)) return true;
    this.#withheld ??= new Map();
    this.#withheld.set(asker, { permit, scope, tell });
    return false;
  }

  /** Nothing is to be told to it any more. */
  forget(asker: object): void {
    this.#withheld?.delete(asker);
  }

  /** A right may be back that nothing tells of: a role, or a user who was disabled. */
  lookAgain(): void {
    const withheld = this.#withheld;
    if (withheld === undefined || withheld.size === 0) return;
    let left = Math.min(withheld.size, LOOKED_AT_ONCE);
    for (const [asker, one] of withheld) {
      if (left-- === 0) return;
      withheld.delete(asker);
      if (this.#covers(one.permit, one.scope)) one.tell();
      // Behind those that have not been looked at.
      else withheld.set(asker, one);
    }
  }

  /** By which somebody is told of something, and would have to show something newer. */
  get over(): Permit | undefined {
    if (this.#shown === undefined) return undefined;
    for (const permit of this.#shown.values()) if (permit.standing() === 'over') return permit;
    return undefined;
  }

  #covers(permit: Permit, scope: Scope): boolean {
    return permit.stillCovers(scope, this.#shown?.get(permit.user ?? ''));
  }
}

interface Withheld {
  readonly permit: Permit;
  readonly scope: Scope;
  readonly tell: () => void;
}

const LOOKED_AT_ONCE = 1_000;
