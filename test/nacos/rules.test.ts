import { describe, expect, it } from 'vitest';
import { RequestError } from '../../src/nacos/errors.ts';
import {
  checkedMetadata,
  checkedWeight,
  metadataFrom,
  pageOf,
  reachesProtection,
  registrationOf,
  silenceOf,
} from '../../src/nacos/rules.ts';
import { DEFAULT_SILENCE } from '../../src/registry/instance.ts';

describe('the silence that metadata allow', () => {
  it.each([
    ['nothing', {}, DEFAULT_SILENCE],
    ['something else', { 'preserved.register.source': 'SPRING_CLOUD' }, DEFAULT_SILENCE],
    ['an interval', { 'preserved.heart.beat.interval': '1000' }, { ...DEFAULT_SILENCE, beatIntervalMs: 1_000 }],
    ['a timeout', { 'preserved.heart.beat.timeout': '3000' }, { ...DEFAULT_SILENCE, unhealthyAfterMs: 3_000 }],
    ['a delete timeout', { 'preserved.ip.delete.timeout': '6000' }, { ...DEFAULT_SILENCE, removedAfterMs: 6_000 }],
    ['no number', { 'preserved.heart.beat.timeout': '3s' }, DEFAULT_SILENCE],
    ['a negative number', { 'preserved.heart.beat.timeout': '-3' }, DEFAULT_SILENCE],
    ['zero, which would make clients beat without a pause', { 'preserved.heart.beat.interval': '0' }, DEFAULT_SILENCE],
  ])('by %s', (_, metadata, silence) => {
    expect(silenceOf(metadata)).toEqual(silence);
  });
});

describe('a registration', () => {
  const at = { ip: '10.0.0.1', port: 80 };
  const defaults = { cluster: 'DEFAULT', ephemeral: true, weight: 1, enabled: true, healthy: true, metadata: {} };

  it.each([
    ['nothing but the address', {}, {}, {}],
    ['a weight', { weight: 0 }, {}, { weight: 0 }],
    ['nothing, though something was said before', {}, { weight: 7, cluster: 'C1' }, { weight: 7, cluster: 'C1' }],
    ['less than was said before', { weight: 2 }, { weight: 7, enabled: false }, { weight: 2, enabled: false }],
    ['something that is undefined', { weight: undefined }, { weight: 7 }, { weight: 7 }],
  ])('says %s', (_, named, otherwise, registration) => {
    expect(registrationOf({ ...at, ...named }, otherwise)).toEqual({ ...at, ...defaults, ...registration });
  });
});

describe('a weight', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['0.001', 0.01],
    ['0.01', 0.01],
    ['1', 1],
    ['1e4', 10_000],
  ])('of %s counts as %d', (text, weight) => {
    expect(checkedWeight(text)).toBe(weight);
  });

  it.each(['-5', '1e300', '10000.1', '-0.1', 'Infinity', 'NaN', '', 'x'])('of %j is refused', (text) => {
    expect(() => checkedWeight(text)).toThrow(RequestError);
  });
});

describe('metadata', () => {
  it.each([
    [
      { a: 1, b: true, c: null, d: 'x' },
      { a: '1', b: 'true', c: '', d: 'x' },
    ],
    [[], {}],
    [[1], undefined],
    [{ a: {} }, undefined],
    [null, undefined],
    ['a', undefined],
  ])('from %j are %j', (value, metadata) => {
    expect(metadataFrom(value)).toEqual(metadata);
  });

  it('may be as long as the limit, keys and values together', () => {
    expect(checkedMetadata({ ab: 'cd', e: '' }, 5)).toEqual({ ab: 'cd', e: '' });
    expect(() => checkedMetadata({ ab: 'cd', e: '' }, 4)).toThrow(
      "Param 'Metadata' is illegal, the param length should not exceed 4. (--max-metadata-length)",
    );
  });
});

describe('protection', () => {
  it.each([
    [[], 1, false],
    [[false, false], 0, true],
    [[true, false], 0.5, true],
    [[true, true, false], 0.5, false],
    [[true], 1, true],
  ])('of %j at %d is reached: %s', (healths, threshold, reached) => {
    expect(
      reachesProtection(
        healths.map((healthy) => ({ healthy })),
        threshold,
      ),
    ).toBe(reached);
  });
});

describe('a page', () => {
  it.each([
    [1, 2, ['a', 'b']],
    [2, 2, ['c']],
    [3, 2, []],
    [0, 2, ['a', 'b']],
    [1, 0, []],
    [1, 2_147_483_647, ['a', 'b', 'c']],
    [2_147_483_647, 2_147_483_647, []],
  ])('%d of %d has %j', (pageNo, pageSize, page) => {
    expect(pageOf(['a', 'b', 'c'], pageNo, pageSize)).toEqual(page);
  });
});
