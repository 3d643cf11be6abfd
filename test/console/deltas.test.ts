import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applied } from '../../console/src/deltas.ts';
import type { Delta, Snapshot } from '../../src/console/api.ts';
import { Screen, snapshotOf } from '../../src/console/deltas.ts';
import type { Shown } from '../../src/console/looks.ts';

const KEYS = ['a', 'b', 'c', 'd', 'e', '1', '0', '__proto__', 'constructor'];

/** Few keys and few values, so that much stays, moves and comes back. */
const shown: fc.Arbitrary<Shown> = fc
  .record({
    facts: fc.uniqueArray(fc.tuple(fc.constantFrom('all', 'found', 'tiles'), fc.constantFrom('1', '2', '[3]')), {
      selector: ([name]) => name,
    }),
    rows: fc.uniqueArray(fc.tuple(fc.constantFrom(...KEYS), fc.integer({ min: 0, max: 2 })), { selector: ([key]) => key }),
  })
  .map(({ facts, rows }) => ({
    facts: new Map(facts),
    rows: new Map(rows.map(([key, value]) => [key, JSON.stringify({ key, value })])),
    notServing: 0,
    seq: 7,
  }));

const read = (text: string) => JSON.parse(text) as Delta;
type Known = Pick<Snapshot, 'facts' | 'rows'>;

function plain({ facts, rows }: Known) {
  const there = Object.entries(facts).filter(([, value]) => value !== null);
  return { facts: Object.fromEntries(there), rows };
}

describe('what has changed', () => {
  it('put together by the page is what is shown, whatever was before', () => {
    fc.assert(
      fc.property(fc.array(shown, { minLength: 1, maxLength: 8 }), (looks) => {
        const screen = new Screen();
        let page: Known | undefined;
        for (const look of looks) {
          const delta = screen.deltaTo(look);
          if (delta !== undefined) page = applied(page, read(delta));
          const { facts, rows } = JSON.parse(snapshotOf(look)) as Snapshot;
          expect(page && plain(page)).toEqual(plain({ facts, rows }));
        }
      }),
    );
  });

  it('is nothing where all is as before', () => {
    fc.assert(
      fc.property(shown, (look) => {
        const screen = new Screen();
        expect(read(screen.deltaTo(look) ?? '{}').whole).toBe(true);
        expect(screen.deltaTo({ ...look })).toBeUndefined();
        expect(screen.deltaTo({ facts: new Map(look.facts), rows: new Map(look.rows), notServing: 0, seq: 8 })).toBeUndefined();
      }),
    );
  });

  it('is the row that has changed, and no other, and no order where that is the same', () => {
    const screen = new Screen();
    const rows = (second: number) =>
      new Map([
        ['a', '{"key":"a"}'],
        ['b', `{"key":"b","value":${second}}`],
      ]);
    const shown = { facts: new Map<string, string>(), rows: rows(1), notServing: 0, seq: 1 };
    screen.deltaTo(shown);
    expect(screen.deltaTo({ ...shown, rows: rows(2) })).toBe('{"rows":[{"key":"b","value":2}]}');
    const [all, first] = [new Map([['all', '2']]), new Map([['a', '{"key":"a"}']])];
    expect(screen.deltaTo({ ...shown, facts: all, rows: first })).toBe('{"facts":{"all":2},"order":["a"]}');
    expect(screen.deltaTo({ ...shown, rows: first })).toBe('{"facts":{"all":null}}');
    expect(screen.deltaTo({ ...shown, rows: first, notServing: 3 })).toBe('{"notServing":3}');
  });
});
