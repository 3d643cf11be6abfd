import { describe, expect, it } from 'vitest';
import { lookAt } from '../../support/console-looks.ts';
import { startGuarded } from '../../support/guarded.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { register, setEnabled, startServer } from '../../support/server.ts';

failOnLeaks();

async function named(server: Parameters<typeof lookAt>[0], params = {}): Promise<string[]> {
  return (await lookAt(server, 'services', params)).rows.map(({ service }) => service);
}

describe('the services', () => {
  it('are listed, those that fail first, with how many of what there are', async () => {
    await using server = await startServer();
    for (const name of ['apples', 'books', 'cars']) await register(server, name);
    await register(server, 'books', { ip: '10.0.0.2' });
    await setEnabled(server, 'cars', false);
    const { facts, rows } = await lookAt(server, 'services');
    expect(facts).toMatchObject({ found: 3, all: 3, serving: 2, notServing: 1, page: 1, pages: 1 });
    expect(facts).toMatchObject({ namespaces: ['public'], groups: ['DEFAULT_GROUP'] });
    expect(rows.map(({ service, status, available, total }) => [service, status, available, total])).toEqual([
      ['cars', 'NOT_SERVING', 0, 1],
      ['apples', 'SERVING', 1, 1],
      ['books', 'SERVING', 2, 2],
    ]);
    expect(rows[0]).toMatchObject({ cause: 'edited', needed: 1, hour: [expect.anything(), [expect.anything(), 'NOT_SERVING']] });
  });

  it('are found by a part of the name, with the group before it, and by the address of an instance', async () => {
    await using server = await startServer();
    await register(server, 'Orders');
    await register(server, 'G1@@orders-old', { ip: '10.0.0.2', port: 8080 });
    await register(server, 'users', { ip: '2001:db8::1', port: 8080 });
    expect(await named(server, { search: 'order' })).toEqual(['Orders', 'orders-old']);
    expect(await named(server, { search: 'g1@@' })).toEqual(['orders-old']);
    expect(await named(server, { search: '10.0.0.2:8080' })).toEqual(['orders-old']);
    expect(await named(server, { search: '[2001:db8::1]:8080' })).toEqual(['users']);
    expect(await named(server, { search: '10.0.0.2:81' })).toEqual([]);
    expect(await named(server, { group: 'G1' })).toEqual(['orders-old']);
    expect(await named(server, { namespace: 'other' })).toEqual([]);
    expect(await named(server, { status: 'NOT_SERVING' })).toEqual([]);
    expect((await lookAt(server, 'services', { search: 'order' })).facts).toMatchObject({ found: 2, all: 3 });
  });

  it('are in the order that is asked for, and the other way round', async () => {
    await using server = await startServer();
    for (const name of ['b', 'c', 'a']) await register(server, name);
    await register(server, 'c', { ip: '10.0.0.2' });
    expect(await named(server, { sort: 'name' })).toEqual(['a', 'b', 'c']);
    expect(await named(server, { sort: '-name' })).toEqual(['c', 'b', 'a']);
    expect(await named(server, { sort: '-available' })).toEqual(['c', 'b', 'a']);
    await setEnabled(server, 'b', false);
    expect((await named(server, { sort: 'since' }))[0]).toBe('b');
    expect((await named(server, { sort: '-status' })).at(-1)).toBe('b');
    await expect(lookAt(server, 'services', { sort: 'colour' })).rejects.toThrow(
      /400 .*sort must be one of status, -status, name/,
    );
    await expect(lookAt(server, 'services', { status: 'UP' })).rejects.toThrow(/400 .*status must be one of SERVING/);
    await expect(lookAt(server, 'services', { colour: 'red' })).rejects.toThrow(/400 .*colour.* is not known/);
  });

  it('are told a hundred at a time, and beyond the last page is the last', async () => {
    await using server = await startServer();
    for (let i = 0; i < 205; i++) await server.registry.register(`s${i}`, { ip: '10.0.0.1', port: 80 });
    const names = (await Promise.all([1, 2, 3].map((page) => named(server, { sort: 'name', page })))).flat();
    expect(names).toEqual(Array.from({ length: 205 }, (_, i) => `s${i}`).sort());
    const { facts, rows } = await lookAt(server, 'services', { page: 9 });
    expect([facts.page, facts.pages, rows.length]).toEqual([3, 3, 5]);
  });

  it('are those that somebody may see, in all counts', async () => {
    await using server = await startGuarded({ reader: 'reader@dev' });
    await server.registry.register('open', { ip: '10.0.0.1', port: 80 });
    await server.registry.register({ namespace: 'dev', name: 'mine' }, { ip: '10.0.0.1', port: 80 });
    const token = await server.tokenOf('reader');
    const { facts, rows } = await lookAt(server, 'services', {}, token);
    expect(rows.map(({ service }) => service)).toEqual(['mine']);
    expect(facts).toMatchObject({ found: 1, all: 1, serving: 1, notServing: 0, namespaces: ['dev'] });
  });
});
