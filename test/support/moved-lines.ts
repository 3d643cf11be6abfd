import type { InstanceLine, Line, NamespaceLine, ServiceLine, TextLine } from '../../src/moving/lines.ts';

/** A namespace with everything in it that a Nacos can keep as well, as it is exported. */
const namespace = 'moved';

const NAMESPACE: NamespaceLine = { kind: 'namespace', id: namespace, name: 'Moved', description: 'from one to the other' };

const SERVICE: ServiceLine = {
  kind: 'service',
  namespace,
  group: 'G9',
  name: 'orders',
  ephemeral: false,
  protectThreshold: 0.5,
  metadata: { 'a.b': '1', zone: 'Zürich 100% + a&b=c' },
  selector: { type: 'none' },
  clusters: {
    C1: {
      healthChecker: { expectedResponseCode: 200, headers: '', path: '/up', type: 'HTTP' },
      checkPort: 81,
      useInstancePort: false,
      metadata: { q: 'r' },
    },
  },
};

function instance(port: number, cluster: string): InstanceLine {
  const place = { namespace, group: 'G9', service: 'orders', ip: '10.0.0.1', port, cluster };
  const said = { ephemeral: false, weight: 2.5, enabled: true, healthy: true, metadata: { x: 'y', 中: '"文"' } };
  return { kind: 'instance', ...place, ...said };
}

function text(dataId: string, type: string, content: string): TextLine {
  return { kind: 'text', namespace, group: 'G9', dataId, type, content };
}

const TEXTS = [text('a.yaml', 'yaml', 'a: 1\r\n\tb: "中文 😀"\n'), text('b', 'text', ' + & = %41 ')];

export const MOVED: readonly Line[] = [
  NAMESPACE,
  SERVICE,
  instance(80, 'C1'),
  { ...instance(81, 'C2'), edit: { weight: 7, enabled: false, metadata: { x: null, z: 'w' } } },
  ...TEXTS,
];

/** The same where there are no edits. */
export const MOVED_IN_FORCE: readonly Line[] = [
  NAMESPACE,
  SERVICE,
  instance(80, 'C1'),
  { ...instance(81, 'C2'), weight: 7, enabled: false, metadata: { z: 'w', 中: '"文"' } },
  ...TEXTS,
];

/** Whether it is healthy, its check says there: nothing listens at these addresses. */
export function withoutHealth(lines: readonly Line[]): readonly object[] {
  return lines.map((line) => (line.kind === 'instance' ? { ...line, healthy: undefined } : line));
}
