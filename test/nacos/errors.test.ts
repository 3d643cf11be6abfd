import { expect, it } from 'vitest';
import { MissingParam, REASONS, RequestError } from '../../src/nacos/errors.ts';

it('a request error has a reason and a text, and no stack', () => {
  const limit = Error.stackTraceLimit;
  const error = new RequestError('bad-weight', 'too heavy');
  expect(error).toMatchObject({ reason: 'bad-weight', message: 'too heavy', v2Message: 'too heavy' });
  expect(error).toBeInstanceOf(Error);
  expect(error.stack ?? '').not.toContain('\n');
  expect(Error.stackTraceLimit).toBe(limit);
});

it('a missing parameter is said in the words of each version', () => {
  expect(new MissingParam('port', 'Integer')).toMatchObject({
    reason: 'missing-param',
    message: "Param 'port' is required.",
    v2Message: "Required parameter 'port' type Integer is not present",
  });
});

it('over gRPC a reason has the number of its HTTP status, but for four', () => {
  const others = Object.entries(REASONS).filter(([, { http, grpc }]) => http !== grpc);
  expect(others.map(([reason, { grpc }]) => [reason, grpc])).toEqual([
    ['config-unknown', 300],
    ['conflict', 500],
    ['beat-unknown', 404],
    ['too-many', 503],
  ]);
});
