import type { Source } from './changes.ts';
import { flat } from './flat.ts';

/**
 * Who was heard last of instances: each pair of a peer and what it calls itself stands here once, by a number, for all whom it speaks for,
 * and as long as it speaks for one. Nearly all speak for their own address, so that all of them who call themselves the same are one.
 */
export class Voices {
  /** By number. */
  readonly #voices: (Voice | undefined)[] = [undefined];
  readonly #freed: number[] = [];
  readonly #numbers = new Map<string, number>();

  /** Who speaks for an instance now, if it was `before` until now: his number. Nobody of whom it is known changes nothing. */
  heard(before: number, ip: string, by: Source | undefined): number {
    if (by?.peer === undefined) return before;
    const peer = by.peer === ip ? OWN : by.peer;
    const agent = (by.agent ?? '').slice(0, MAX_AGENT_LENGTH);
    const last = this.#voices[before];
    // Nearly always. There is one of these for every beat.
    if (last !== undefined && last.peer === peer && last.agent === agent) return before;
    this.release(before);
    return this.#joined(peer, agent);
  }

  /** He speaks no more for an instance that he has spoken for. */
  release(number: number): void {
    const voice = this.#voices[number];
    if (voice === undefined || --voice.instances > 0) return;
    this.#numbers.delete(keyOf(voice.peer, voice.agent));
    this.#voices[number] = undefined;
    this.#freed.push(number);
  }

  /** Who that is, for the instance at `ip`. */
  of(number: number, ip: string): Pick<Source, 'peer' | 'agent'> {
    const voice = this.#voices[number];
    if (voice === undefined) return {};
    return { peer: voice.peer === OWN ? ip : voice.peer, ...(voice.agent !== '' && { agent: voice.agent }) };
  }

  get count(): number {
    return this.#numbers.size;
  }

  #joined(peer: string, agent: string): number {
    const key = keyOf(peer, agent);
    const known = this.#numbers.get(key);
    const voice = known === undefined ? undefined : this.#voices[known];
    if (known !== undefined && voice !== undefined) {
      voice.instances++;
      return known;
    }
    if (this.#numbers.size >= MOST_VOICES) return NOBODY;
    const number = this.#freed.pop() ?? this.#voices.length;
    this.#voices[number] = { peer: flat(peer), agent: flat(agent), instances: 1 };
    this.#numbers.set(flat(key), number);
    return number;
  }
}

interface Voice {
  readonly peer: string;
  readonly agent: string;
  /** How many he speaks for. */
  instances: number;
}

/** The number of nobody of whom it is known. */
export const NOBODY = 0;
const OWN = '';
/** Of more it is not known who was heard: callers who call themselves something else each time fill no memory. */
const MOST_VOICES = 65_536;
const MAX_AGENT_LENGTH = 128;

/** No address has white space. */
function keyOf(peer: string, agent: string): string {
  return `${peer} ${agent}`;
}
