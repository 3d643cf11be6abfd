/** A page that makes calls of gRPC-Web as it is told: it fetches commands one after the other, and posts answers and events. */
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createTransport } from '@connectrpc/connect/protocol-grpc-web';
import { Health } from '/health_pb.js';

const say = (line) => fetch('/said', { method: 'POST', body: JSON.stringify(line) });

/** As pages make it: a body that is whole, and an answer that is read as it comes. */
async function httpClient({ url, method, header, body, signal }) {
  const parts = [];
  for await (const part of body ?? []) parts.push(part);
  const answer = await fetch(url, { method, headers: header, body: new Blob(parts), signal });
  return { status: answer.status, header: answer.headers, body: chunksOf(answer.body), trailer: new Headers() };
}

async function* chunksOf(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield value;
  }
}

const transport = createTransport({
  baseUrl: new URLSearchParams(location.search).get('bridge'),
  httpClient,
  useBinaryFormat: true,
  interceptors: [],
  acceptCompression: [],
  sendCompression: null,
  compressMinBytes: 0,
  readMaxBytes: 0xffffffff,
  writeMaxBytes: 0xffffffff,
});
const client = createClient(Health, transport);
const watches = new Map();

const OPS = {
  async check({ service }) {
    const { status } = await client.check({ service });
    return { status };
  },

  async list() {
    const { statuses } = await client.list({});
    return Object.keys(statuses);
  },

  async watch({ watch, service }) {
    const ending = new AbortController();
    watches.set(watch, ending);
    const follow = async () => {
      for await (const { status } of client.watch({ service }, { signal: ending.signal }))
        await say({ event: 'told', watch, status });
    };
    follow().then(
      () => say({ event: 'over', watch }),
      (error) => say({ event: 'over', watch, code: codeOf(error) }),
    );
  },

  async cancel({ watch }) {
    watches.get(watch).abort();
  },
};

const codeOf = (error) => Code[ConnectError.from(error).code];

async function obey(command) {
  try {
    await say({ id: command.id, result: await OPS[command.op](command) });
  } catch (error) {
    await say({ id: command.id, error: codeOf(error) });
  }
}

await say({ event: 'ready', agent: navigator.userAgent });
for (;;) {
  const answer = await fetch('/command');
  if (!answer.ok) break;
  void obey(await answer.json());
}
