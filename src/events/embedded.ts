import { badInput } from '../wire/refused-error.ts';
import type { History } from './history.ts';
import { type EventView, viewOf } from './view.ts';

/** Calls the listener with each record from now on. The answer ends it. */
export type EmbeddedEvents = (listener: (event: EventView) => unknown) => () => void;

/**
 * What the listener does wrong, now or later, is told once, until it has done right again: it hurts nobody, and least of all the log. What it
 * promises may be of another realm, or no more than something with a `then`.
 */
export function embeddedEvents(history: History, failed: (error: unknown) => void): EmbeddedEvents {
  return (listener) => {
    if (typeof listener !== 'function') throw badInput('the listener must be a function', listener);
    let isFailing = false;
    const did = () => {
      isFailing = false;
    };
    const note = (error: unknown) => {
      if (!isFailing) failed(error);
      isFailing = true;
    };
    return history.onEvent((record) => {
      try {
        // Its own, to do with as it likes.
        const answer = listener(structuredClone(viewOf(record)));
        if (mayPromise(answer)) Promise.resolve(answer).then(did, note);
        else did();
      } catch (error) {
        note(error);
      }
    });
  };
}

function mayPromise(answer: unknown): boolean {
  return (typeof answer === 'object' && answer !== null) || typeof answer === 'function';
}
