/**
 * The server that Connect's conformance suite asks: its service, behind the ports and the handlers of beatbridge as they are built.
 * It is told on stdin what it is to be like, says on stdout where it listens, and goes on until the runner ends it by a signal.
 *
 *   node server.js DESCRIPTORS
 */
import { readFileSync } from 'node:fs';
import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { createContextValues } from '@connectrpc/connect';
import { pino } from 'pino';
import { checkOptions } from '../../../../dist/options.js';
import { healthOnly } from '../../../../dist/server/dispatch.js';
import { rpcByPath } from '../../../../dist/server/rpc.js';
import { HeldBodies } from '../../../../dist/wire/held-bodies.js';
import { listen } from '../../../../dist/wire/listener.js';
import { OpenAnswers } from '../../../../dist/wire/open-answers.js';
import { systemScheduler as scheduler } from '../../../../dist/wire/scheduler.js';
import { implementation } from './implementation.js';

const PACKAGE = 'connectrpc.conformance.v1';
const HOST = '127.0.0.1';
const LARGEST_MESSAGE = 64 << 20;
const LARGEST_HELD = 2 ** 30;
/** Of a message on stdin and stdout. */
const PREFIX = 4;

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(process.argv[2])));
const message = (name) => registry.getMessage(`${PACKAGE}.${name}`);

async function serve({ useTls, serverCreds, messageReceiveLimit }) {
  const service = registry.getService(`${PACKAGE}.ConformanceService`);
  const log = pino({ level: 'error' }, pino.destination(2));
  const rpc = new Map(
    rpcByPath({
      // In JSON, what was heard is told by types that only this registry knows.
      routes: (router) => void router.service(service, implementation(registry, PACKAGE), { jsonOptions: { registry } }),
      maxMessageBytes: messageReceiveLimit || LARGEST_MESSAGE,
      contextValues: () => createContextValues(),
      openAnswers: new OpenAnswers(),
      bodies: new HeldBodies({ maxHeldBytes: LARGEST_HELD, maxHeldBytesPerPeer: LARGEST_HELD, maxHeldBytesInAll: LARGEST_HELD }),
      shutdown: new AbortController().signal,
      log,
      now: () => performance.now(),
    }),
  );
  // What is not implemented is not there either.
  for (const path of rpc.keys()) if (/nimplemented$/.test(path)) rpc.delete(path);
  const nothing = () => undefined;
  const pages = () => false;
  const lanes = healthOnly({ healthRpc: rpc, healthPaths: nothing, healthLane: {}, pages, probePaths: nothing }, log);
  const tls = useTls ? { cert: Buffer.from(serverCreds.cert), key: Buffer.from(serverCreds.key) } : undefined;
  const port = await listen(HOST, 0, lanes, { limits: checkOptions({}), scheduler, tls });
  return { host: HOST, port: Number(port.address.split(':').at(-1)), ...(tls && { pemCert: tls.cert }) };
}

let heard = Buffer.alloc(0);
process.stdin.on('data', async (chunk) => {
  heard = Buffer.concat([heard, chunk]);
  if (heard.length < PREFIX || heard.length < PREFIX + heard.readUInt32BE()) return;
  const asked = fromBinary(message('ServerCompatRequest'), heard.subarray(PREFIX, PREFIX + heard.readUInt32BE()));
  const schema = message('ServerCompatResponse');
  const answer = toBinary(schema, create(schema, await serve(asked)));
  const length = Buffer.alloc(PREFIX);
  length.writeUInt32BE(answer.length);
  process.stdout.write(Buffer.concat([length, answer]));
});
