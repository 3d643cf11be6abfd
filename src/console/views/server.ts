import type { ServerFacts } from '../api.ts';
import { known, type Look, type LookRoom, type View } from '../look.ts';
import type { Reader } from '../sources.ts';

/** The process itself: what it is made of, how much of its limits is used, what it was told. */
export const server: View = {
  open(params, room) {
    const asked = known(params, []);
    return typeof asked === 'string' ? asked : { look: (reader) => look(reader, room) };
  },
};

function* look(reader: Reader, { bridge, reception }: LookRoom): Look<'server'> {
  if (!reader.maySeeAll) return { facts: NOTHING, rows: [] };
  const { pid, host, ...process } = bridge.process();
  const { version, startedAt } = reception;
  const mayOperate = reader.mayOperate();
  const parts = bridge.parts();
  yield undefined;
  const facts: ServerFacts = {
    process: {
      version,
      startedAt,
      ...process,
      ...(mayOperate && pid !== undefined && { pid }),
      ...(mayOperate && host !== undefined && { host }),
    },
    listeners: bridge.listeners(),
    parts,
    limits: bridge.limits(),
    refused: bridge.refusals(),
    options: mayOperate ? bridge.options() : null,
    store: storeOf(bridge, mayOperate),
    certificate: certificateOf(bridge),
    replicas: [],
  };
  return { facts, rows: [] };
}

function storeOf({ dataDir, storeTrouble }: LookRoom['bridge'], mayOperate: boolean): ServerFacts['store'] {
  if (dataDir === 'none') return null;
  const trouble = storeTrouble();
  return { ...(mayOperate && { directory: dataDir }), ...(trouble !== undefined && { trouble }) };
}

function certificateOf(bridge: LookRoom['bridge']): ServerFacts['certificate'] {
  const seen = bridge.certificate();
  if (seen === undefined) return null;
  const { subject, until, ok, says } = seen;
  return { subject, until, ok, says };
}

const NOTHING: ServerFacts = {
  process: null,
  listeners: {},
  parts: [],
  limits: [],
  refused: [],
  options: null,
  store: null,
  certificate: null,
  replicas: [],
};
