/** connect-node's own handler of a health service that is as short as it can be, over HTTP/2 and over HTTP/1.1. */
import { EventEmitter, once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { Code, ConnectError } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { Health, HealthCheckResponse_ServingStatus as Status } from '../../dist/gen/grpc/health/v1/health_pb.js';
import { listening, obey } from './obey.js';

const [known] = process.argv.slice(2);
const changes = new EventEmitter().setMaxListeners(0);
let status = Status.SERVING;

const handler = connectNodeAdapter({
  routes: (router) => {
    router.service(Health, {
      check({ service }) {
        if (service !== known) throw new ConnectError('unknown service', Code.NotFound);
        return { status };
      },
      async *watch(_, { signal }) {
        for (;;) {
          yield { status };
          await once(changes, 'change', { signal });
        }
      },
    });
  },
});

const grpc = createHttp2Server(handler).listen(0, '127.0.0.1');
await once(grpc, 'listening');
const http = createHttpServer(handler).listen(0, '127.0.0.1');
await once(http, 'listening');
listening({ grpc: grpc.address().port, http: http.address().port });
obey((isServing) => {
  status = isServing ? Status.SERVING : Status.NOT_SERVING;
  changes.emit('change');
});
