import { afterEach, expect, test } from 'vitest';
import { reasonWords } from '../../../console/src/reasons.ts';
import { language } from '../../../console/src/words.ts';

afterEach(() => {
  language.value = 'en';
});

test.each([
  ['en', 'not checked: tcp: refused', 'not checked: tcp: refused'],
  ['zh-CN', 'its client says so', '由客户端设置'],
  ['zh-CN', 'not checked: tcp: refused', '未检查: tcp: 连接被拒绝'],
  ['zh-CN', 'constructor', 'constructor'],
  ['zh-CN', 'not known here: as it is', 'not known here: as it is'],
] as const)('in %s, the reason "%s" reads "%s"', (spoken, reason, says) => {
  language.value = spoken;
  expect(reasonWords(reason)).toBe(says);
});
