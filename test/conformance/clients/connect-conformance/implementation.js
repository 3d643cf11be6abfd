/** What the methods of the conformance service do: answer as the request says, and tell what was heard. */
import { setTimeout as pause } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { ConnectError } from '@connectrpc/connect';

const NO_DATA = new Uint8Array(0);

/** @param {import('@bufbuild/protobuf').FileRegistry} registry */
export function implementation(registry, packageName) {
  const schemaOf = (message) => registry.getMessage(message.$typeName);
  const schemaOfInfo = registry.getMessage(`${packageName}.ConformancePayload.RequestInfo`);

  const packed = (requests) => requests.map((request) => anyPack(schemaOf(request), request));

  const infoOf = (requests, context) =>
    create(schemaOfInfo, {
      requestHeaders: headersIn(context.requestHeader),
      timeoutMs: timeoutIn(context),
      requests: packed(requests),
      ...(context.requestMethod === 'GET' && { connectGetInfo: { queryParams: headersIn(new URL(context.url).searchParams) } }),
    });

  const errorOf = ({ code, message, details }, info) => {
    const error = new ConnectError(message ?? '', code);
    error.details = details.map(({ typeUrl, value }) => ({ type: typeUrl.slice(typeUrl.lastIndexOf('/') + 1), value }));
    if (info !== undefined) error.details.push({ desc: schemaOfInfo, value: info });
    return error;
  };

  const answerOnce = async (requests, context) => {
    const wanted = requests[0]?.responseDefinition;
    say(wanted, context);
    const info = infoOf(requests, context);
    await pause(wanted?.responseDelayMs ?? 0);
    const { case: kind, value } = wanted?.response ?? {};
    if (kind === 'error') throw errorOf(value, info);
    return { payload: { data: value ?? NO_DATA, requestInfo: info } };
  };

  return {
    unary: (request, context) => answerOnce([request], context),
    idempotentUnary: (request, context) => answerOnce([request], context),

    async clientStream(requests, context) {
      return answerOnce(await all(requests), context);
    },

    async *serverStream(request, context) {
      const wanted = request.responseDefinition;
      say(wanted, context);
      yield* answers(wanted, 0, () => infoOf([request], context));
    },

    async *bidiStream(requests, context) {
      let wanted;
      let isFullDuplex = false;
      let answered = 0;
      const heard = [];
      let isFirst = true;
      for await (const request of requests) {
        if (isFirst) {
          ({ responseDefinition: wanted, fullDuplex: isFullDuplex } = request);
          say(wanted, context);
          isFirst = false;
        }
        heard.push(request);
        if (!isFullDuplex) continue;
        const data = wanted?.responseData[answered];
        if (data === undefined) break;
        await pause(wanted.responseDelayMs);
        const since = heard.splice(0);
        const requestInfo = answered === 0 ? infoOf(since, context) : create(schemaOfInfo, { requests: packed(since) });
        answered++;
        yield { payload: { data, requestInfo } };
      }
      yield* answers(wanted, answered, () => infoOf(heard, context));
    },
  };

  /** Those that have not been given, the first of all with what was heard; and then the error, if there is to be one. */
  async function* answers(wanted, answered, info) {
    const rest = wanted?.responseData.slice(answered) ?? [];
    for (const [i, data] of rest.entries()) {
      await pause(wanted.responseDelayMs);
      yield { payload: { data, ...(answered + i === 0 && { requestInfo: info() }) } };
    }
    if (wanted?.error !== undefined) throw errorOf(wanted.error, wanted.responseData.length === 0 ? info() : undefined);
  }
}

async function all(messages) {
  const list = [];
  for await (const message of messages) list.push(message);
  return list;
}

/** Sets the header and the trailers that are wanted. */
function say(wanted, { responseHeader, responseTrailer }) {
  for (const { name, value } of wanted?.responseHeaders ?? []) for (const one of value) responseHeader.append(name, one);
  for (const { name, value } of wanted?.responseTrailers ?? []) for (const one of value) responseTrailer.append(name, one);
}

/** One entry for each name. */
function headersIn(fields) {
  const byName = new Map();
  for (const [name, value] of fields) byName.set(name, [...(byName.get(name) ?? []), value]);
  return [...byName].map(([name, value]) => ({ name, value }));
}

function timeoutIn(context) {
  const ms = context.timeoutMs();
  return ms === undefined ? undefined : BigInt(Math.round(ms));
}
