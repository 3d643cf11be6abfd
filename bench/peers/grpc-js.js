/** grpc-js with its own health service, as its documentation sets it up. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { listening, obey } from './obey.js';

const [service] = process.argv.slice(2);
const statuses = new HealthImplementation({ [service]: 'SERVING' });
const server = new Server();
statuses.addToServer(server);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  listening({ grpc: port });
});
obey((isServing) => statuses.setStatus(service, isServing ? 'SERVING' : 'NOT_SERVING'));
