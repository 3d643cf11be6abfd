import type { History } from './history.ts';
import { type EventView, viewOf } from './view.ts';

/** Calls the listener with each record from now on. The answer ends it. */
export type EmbeddedEvents = (listener: (event: EventView) => unknown) => () => void;

/** What the listener does wrong, now or later, is told once, until it has done right again: it hurts nobody, and least of all the log. */
export function embeddedEvents(history: History, failed: (error: unknown) => void): EmbeddedEvents {
  return (listener) => {
    let isFailing = false;
    const note = (error: unknown) => {
      if (!isFailing) failed(error);
      isFailing = true;
    };
    return history.onEvent((record) => {
      try {
        // Its own, to do with as it likes.
        const answer = listener(structuredClone(viewOf(record)));
        if (answer instanceof Promise) answer.catch(note);
        else isFailing = false;
      } catch (error) {
        note(error);
      }
    });
  };
}
