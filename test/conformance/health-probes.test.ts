import { execFile } from 'node:child_process';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { HEALTH_CLIENTS } from '../support/health-clients.ts';
import { CLI, startProcess } from '../support/process.ts';
import { nacos, register, unhealthyAfter } from '../support/server.ts';
import type { ToolName } from './tools.ts';

/** Programs that ask once and say it by exit code or on standard output: what they say of a service in each of its states. */
interface Probe {
  /** `self`: the program that is tested here. */
  readonly tool: ToolName | 'self';
  readonly args: (address: string, service: string) => readonly string[];
  readonly serving: object;
  readonly notServing: object;
  readonly unknown: object;
}

const curl = (...options: readonly string[]): Probe => ({
  tool: 'curl',
  args: (address, service) => [
    '--silent',
    ...options,
    '--write-out',
    ' %{http_code} %{http_version}',
    '--header',
    'Content-Type: application/json',
    '--data',
    JSON.stringify({ service }),
    `http://${address}/grpc.health.v1.Health/Check`,
  ],
  serving: { code: 0, stdout: expect.stringMatching(/^\{"status":"SERVING"\} 200 /) },
  notServing: { code: 0, stdout: expect.stringMatching(/^\{"status":"NOT_SERVING"\} 200 /) },
  unknown: { code: 0, stdout: expect.stringMatching(/^\{"code":"not_found","message":"unknown service"\} 404 /) },
});

/** A machine may be busy: how quick it is, is not what is asked here. */
const PATIENT = ['-connect-timeout=20s', '-rpc-timeout=20s'];

const PROBES: Readonly<Record<string, Probe>> = {
  'curl over HTTP/1.1': curl('--http1.1'),
  'curl over h2c': curl('--http2-prior-knowledge'),
  'curl that asks for an upgrade to h2c': curl('--http2'),
  grpc_health_probe: {
    tool: 'grpcHealthProbe',
    args: (address, service) => ['-addr', address, '-service', service],
    serving: { code: 0, stderr: expect.stringContaining('status: SERVING') },
    notServing: { code: 4, stderr: expect.stringContaining('"NOT_SERVING"') },
    unknown: { code: 3, stderr: expect.stringContaining('NotFound') },
  },
  'grpc_health_probe with gzip': {
    tool: 'grpcHealthProbe',
    args: (address, service) => ['-gzip', '-addr', address, '-service', service],
    serving: { code: 0 },
    notServing: { code: 4 },
    unknown: { code: 3 },
  },
  'beatbridge check': {
    tool: 'self',
    args: (address, service) => [CLI, 'check', ...PATIENT, '-addr', address, '-service', service],
    serving: { code: 0, stdout: 'status: SERVING\n', stderr: '' },
    notServing: { code: 4, stdout: expect.stringContaining('"NOT_SERVING"') },
    unknown: { code: 3, stderr: expect.stringContaining('NOT_FOUND') },
  },
  'beatbridge check with gzip': {
    tool: 'self',
    args: (address, service) => [CLI, 'check', ...PATIENT, '-gzip', '-addr', address, '-service', service],
    serving: { code: 0 },
    notServing: { code: 4 },
    unknown: { code: 3 },
  },
  'grpc-go': {
    tool: 'goHealth',
    args: (address, service) => ['check', address, service],
    serving: { stdout: '{"status":"SERVING"}\n' },
    notServing: { stdout: '{"status":"NOT_SERVING"}\n' },
    unknown: { stdout: '{"error":"NOT_FOUND","message":"unknown service"}\n' },
  },
};

const tools = inject('tools');
const pathOf = (tool: Probe['tool']) => (tool === 'self' ? process.execPath : tools[tool].path);

describe.each(Object.entries(PROBES))('%s', (_, { tool, args, serving, notServing, unknown }) => {
  // Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
  it.skipIf(pathOf(tool) === undefined)('tells a service that beats from one that has fallen silent', async () => {
    await using bridge = await startProcess();
    using watcher = HEALTH_CLIENTS['gRPC (grpc-js)'](bridge.listeners.health);
    const ask = () =>
      new Promise((resolve) => {
        execFile(pathOf(tool) ?? '', args(bridge.listeners.health, 'orders'), (error, stdout, stderr) =>
          resolve({ code: error?.code ?? 0, stdout, stderr }),
        );
      });

    expect(await ask()).toMatchObject(unknown);
    let beats: NodeJS.Timeout | undefined;
    onTestFinished(() => clearInterval(beats));
    for await (const status of watcher.watch('orders', new AbortController().signal)) {
      if (status === 'SERVICE_UNKNOWN') {
        await register(bridge, 'orders', { metadata: unhealthyAfter(2_000) });
        beats = setInterval(() => void nacos(bridge, 'PUT', '/instance/beat', AT_ORDERS), 200);
      } else if (status === 'SERVING') {
        expect(await ask()).toMatchObject(serving);
        clearInterval(beats);
      } else {
        expect(await ask()).toMatchObject(notServing);
        break;
      }
    }
  });
});

const AT_ORDERS = { serviceName: 'orders', ip: '10.0.0.1', port: 80 };
