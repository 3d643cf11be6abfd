import { describe, expect, it } from 'vitest';
import { lookAt } from '../../support/console-looks.ts';
import { startGuarded } from '../../support/guarded.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { register, startServer } from '../../support/server.ts';

failOnLeaks();

describe('the page of the server', () => {
  it('says what it is made of, what is used of each limit, and what was refused', async () => {
    await using server = await startServer({ maxServices: 1 });
    await register(server, 'orders');
    await expect(register(server, 'shop')).rejects.toThrow();
    const { facts } = await lookAt(server, 'server');
    expect(facts.process).toMatchObject({ node: process.version, pid: process.pid });
    expect(facts).toMatchObject({ listeners: server.listeners, store: null, certificate: null, replicas: [] });
    expect(facts.limits).toContainEqual({ name: 'services', used: 1, most: 1, option: '--max-services' });
    expect(facts.limits.find(({ name }) => name === 'bytes unsent')).toMatchObject({ option: '--max-unsent-bytes-in-all' });
    expect(facts.refused).toEqual([['services', 1]]);
    expect(facts.parts.find(({ name }) => name === 'limits')).toMatchObject({ ok: false });
    expect(facts.limits.filter(({ option }) => option === undefined)).toEqual([]);
  });

  it('says which options the program has given, and no secret', async () => {
    await using server = await startServer({ maxServices: 7, webhook: 'http://127.0.0.1:1/token-in-it' });
    const { options } = (await lookAt(server, 'server')).facts;
    const said = (flag: string) => options?.find((one) => one.flag === flag);
    expect(said('--max-services')).toMatchObject({ value: '7', source: 'program' });
    expect(said('--max-watches')).toMatchObject({ source: 'default' });
    expect(said('--webhook')).toMatchObject({ value: '(hidden)', source: 'program' });
    expect(JSON.stringify(options)).not.toContain('token-in-it');
  });

  it('is for who may read everything; options, paths and the machine for who may operate', async () => {
    await using server = await startGuarded({ part: 'reader@team-a', reader: 'reader' });
    const [part, reader, root] = await Promise.all(['part', 'reader', 'root'].map((name) => server.tokenOf(name)));
    const nothing = (await lookAt(server, 'server', {}, part)).facts;
    expect(nothing).toMatchObject({ process: null, listeners: {}, parts: [], limits: [], refused: [], options: null });
    const read = (await lookAt(server, 'server', {}, reader)).facts;
    expect(read.options).toBeNull();
    expect(read.process).toMatchObject({ node: process.version });
    expect(read.process).not.toHaveProperty('pid');
    expect(JSON.stringify(read)).not.toContain(server.userFile);
    const all = (await lookAt(server, 'server', {}, root)).facts;
    expect(all.options?.find(({ flag }) => flag === '--user-file')).toMatchObject({ value: server.userFile });
  });
});
