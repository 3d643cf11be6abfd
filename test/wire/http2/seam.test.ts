import { expect, it } from 'vitest';
import { BufferPool, Output } from '../../../src/wire/http2/output.ts';
import { encodeFields, Prepared } from '../../../src/wire/http2/prepared.ts';
import type { Request } from '../../../src/wire/http2/request.ts';
import { data, FLAG, headers, hello, request, settingsAck } from '../../support/http2-frames.ts';
import { TestApplication, Wire } from '../../support/http2-room.ts';

/** What an application can rely on. */

class Noting extends TestApplication {
  readonly seen: unknown[] = [];

  override route(asked: Request): number {
    this.seen.push(asked.note);
    asked.note = asked.path?.value;
    return super.route(asked);
  }
}

it('what is noted of a request is known of its stream, and of no other request', async () => {
  const application = new Noting();
  using wire = new Wire({}, application);
  wire.send(hello(), settingsAck);
  wire.send(headers(1, request('POST', '/second-thoughts'), FLAG.endHeaders), data(1, 'x'), headers(3, request('GET', '/hold')));
  wire.send(headers(5, request('GET', '/')), headers(7, request('POST', '/no-waiting'), FLAG.endHeaders), data(7, 'x', 0));
  await wire.settle();
  expect(application.streams.map(({ note }) => note)).toEqual(['/second-thoughts', '/hold', '/no-waiting']);
  expect(application.seen).toEqual([undefined, undefined, undefined, undefined]);
});

it('an answer may be prepared from fields that have been encoded before', () => {
  const head = [[':status', '200']] as const;
  const trailers = [['grpc-status', '0']] as const;
  const body = Buffer.from('body');
  const written = [
    new Prepared({ head, data: body, trailers }),
    new Prepared({ head: encodeFields(head), data: body, trailers: encodeFields(trailers) }),
  ].map((prepared) => {
    using wire = new Wire();
    const output = new Output(wire, new BufferPool(), () => {});
    prepared.write(output, 1);
    output.write();
    return wire.bytes();
  });
  expect(written[0]).toEqual(written[1]);
  expect(written[0]?.length).toBeGreaterThan(body.length);
});
