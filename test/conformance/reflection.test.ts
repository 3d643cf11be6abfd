import { execFile } from 'node:child_process';
import { describe, expect, inject, it } from 'vitest';
import { startProcess } from '../support/process.ts';
import { register, setEnabled } from '../support/server.ts';

const { grpcurl } = inject('tools');

/** grpcurl ends with 64 and the status code of a call that failed. */
const NOT_FOUND = 64 + 5;
const DEADLINE_EXCEEDED = 64 + 4;

function run(...args: readonly string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(grpcurl.path ?? '', ['-plaintext', ...args], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

describe.skipIf(grpcurl.path === undefined)('grpcurl, which is told nothing but an address', () => {
  it.each(['main', 'grpc', 'health'] as const)('lists what the %s port serves', async (port) => {
    await using bridge = await startProcess();
    expect(await run(bridge.listeners[port], 'list')).toEqual({
      code: 0,
      stdout: 'grpc.health.v1.Health\ngrpc.reflection.v1.ServerReflection\ngrpc.reflection.v1alpha.ServerReflection\n',
      stderr: '',
    });
  });

  it('describes health, and says what it cannot describe', async () => {
    await using bridge = await startProcess();
    const address = bridge.listeners.health;
    expect(await run(address, 'describe', 'grpc.health.v1.Health')).toEqual({
      code: 0,
      stdout: `grpc.health.v1.Health is a service:
service Health {
  rpc Check ( .grpc.health.v1.HealthCheckRequest ) returns ( .grpc.health.v1.HealthCheckResponse );
  rpc List ( .grpc.health.v1.HealthListRequest ) returns ( .grpc.health.v1.HealthListResponse );
  rpc Watch ( .grpc.health.v1.HealthCheckRequest ) returns ( stream .grpc.health.v1.HealthCheckResponse );
}
`,
      stderr: '',
    });
    expect(await run(address, 'describe', 'grpc.health.v1.HealthCheckResponse.ServingStatus')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('SERVICE_UNKNOWN = 3;'),
    });
    expect(await run(address, 'describe', 'nobody')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Symbol not found: nobody'),
    });
  });

  it('checks a service in each of its states', async () => {
    await using bridge = await startProcess();
    const check = () => run('-d', '{"service":"orders"}', bridge.listeners.health, 'grpc.health.v1.Health/Check');

    const unknown = await check();
    expect(unknown).toMatchObject({ code: NOT_FOUND, stdout: '' });
    expect(unknown.stderr).toMatch(/Code: NotFound\s+Message: unknown service/);
    await register(bridge, 'orders');
    expect(await check()).toEqual({ code: 0, stdout: '{\n  "status": "SERVING"\n}\n', stderr: '' });
    await setEnabled(bridge, 'orders', false);
    expect(await check()).toEqual({ code: 0, stdout: '{\n  "status": "NOT_SERVING"\n}\n', stderr: '' });
  });

  it('watches a service for as long as it is told to', async () => {
    await using bridge = await startProcess();
    await register(bridge, 'orders');
    const watched = await run(
      '-max-time',
      '2',
      '-d',
      '{"service":"orders"}',
      bridge.listeners.health,
      'grpc.health.v1.Health/Watch',
    );
    expect(watched).toMatchObject({ code: DEADLINE_EXCEEDED, stdout: '{\n  "status": "SERVING"\n}\n' });
    expect(watched.stderr).toContain('Code: DeadlineExceeded');
  });
});
