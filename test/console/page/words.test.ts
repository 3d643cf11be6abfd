import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { causeWords } from '../../../console/src/causes.ts';
import { filled, LANGUAGES, language, tables } from '../../../console/src/words.ts';
import { CAUSES } from '../../../src/events/causes.ts';

const SOURCES = join(import.meta.dirname, '../../../console/src');

// What begins the page is for a browser.
const modules = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
  (name) => /\.tsx?$/.test(name) && name !== 'main.tsx',
);
for (const name of modules) await import(join(SOURCES, name));

const valuesOf = (text: string) => [...new Set([...text.matchAll(/\{(\w+)/g)].map(([, name]) => name))].sort();

test('both languages say everything, with the same values in it', () => {
  expect(tables.length).toBeGreaterThan(5);
  for (const table of tables) {
    expect(Object.keys(table['zh-CN'])).toEqual(Object.keys(table.en));
    for (const [key, english] of Object.entries(table.en)) {
      const chinese = table['zh-CN'][key] ?? '';
      expect([english.trim(), chinese.trim()], key).not.toContain('');
      expect(valuesOf(chinese), key).toEqual(valuesOf(english));
    }
  }
});

/** Names, and what one writes the same in any language. */
const SAME_EVERYWHERE = new Set(
  `beatbridge Nacos nacos Dubbo HAProxy Envoy Kubernetes Spring Cloud curl grpcurl grpc_health_probe gRPC HTTP TLS TCP MySQL UDP IP PORT JSON ID URL
  Check Watch SERVING NOT_SERVING NOT_FOUND SERVICE_UNKNOWN DEFAULT_GROUP TOKEN new-token orders G1 x n events group interface version namespace
  Pod shell server status name ms min s GET POST SIGTERM Esc OK PID Node Node.js grpc.health.v1 dubbo-go VIP auth webhook MB m h d`.split(
    /\s+/,
  ),
);

test('what is said in Chinese has no words of English in it, but names', () => {
  const english: string[] = [];
  for (const table of tables)
    for (const [key, text] of Object.entries(table['zh-CN'])) {
      const said = text.replaceAll(/\{\w+(:[^}]*)?\}/g, ' ');
      for (const [word] of said.matchAll(/[A-Za-z][\w.-]*[A-Za-z0-9]|[A-Za-z]/g))
        if (!SAME_EVERYWHERE.has(word)) english.push(`${key}: ${text} (${word})`);
    }
  expect(english).toEqual([]);
});

test('what is said in English has no Chinese in it', () => {
  for (const table of tables)
    for (const [key, text] of Object.entries(table.en)) expect(text, key).not.toMatch(/[\u3000-\u9fff\uff00-\uffef]/);
});

test('every cause of an event has words in both languages', () => {
  for (const one of LANGUAGES) {
    language.value = one;
    const untold = Object.keys(CAUSES).filter((cause) => causeWords(cause) === cause && !(one === 'en' && !cause.includes('-')));
    expect(untold).toEqual([]);
  }
  language.value = 'en';
});

test('a text is filled with figures by the habit of the language, and one thing is one', () => {
  expect(filled('{n} {n:service|services} of {who}', { n: 1, who: 'a' })).toBe('1 service of a');
  expect(filled('{n} {n:service|services} of {who}', { n: 1200, who: 'a' })).toBe('1,200 services of a');
});
