/** Which peers they are: a figure holds for a version. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { R_NACOS } from '../toolchain.js';

const ROOT = join(import.meta.dirname, '../..');

export function peerVersions() {
  const module = readFileSync(join(import.meta.dirname, 'grpc-go/go.mod'), 'utf8');
  const [, grpcGo = ''] = /^require google\.golang\.org\/grpc v(\S+)/m.exec(module) ?? [];
  return {
    'grpc-js': installed('@grpc/grpc-js'),
    'grpc-health-check': installed('grpc-health-check'),
    'connect-node': installed('@connectrpc/connect-node'),
    'grpc-go': grpcGo,
    'r-nacos': R_NACOS,
  };
}

function installed(name) {
  try {
    return JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')).version;
  } catch {
    return 'not installed';
  }
}
