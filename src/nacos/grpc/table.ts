import type { Need } from '../../rights/admission.ts';
import type { JsonObject } from '../json.ts';
import { type BodyLimits, listOf, ONE_TEXT, oneInstance } from './bodies.ts';
import { type ConfigsRoom, configCalls } from './configs.ts';
import type { Asker } from './connection.ts';
import type { ServiceInfo } from './messages.ts';
import { type NamingRoom, namingCalls } from './naming.ts';

/** How a question is answered. */
export interface Answering {
  /** The class that the client expects; the older ones of Java throw on another, and Go's panics. */
  readonly answer: string;
  readonly need: Need;
  /** What is answered beside the codes. */
  readonly from: (body: JsonObject, asker: Asker) => object | ServiceInfo | Promise<object | ServiceInfo>;
  /** How much it may say; little when left out. */
  readonly limits?: BodyLimits;
  /** What a failure must have too, because some client cannot do without. */
  readonly failure?: object;
}

/** Every question that a connection may ask, by the class of its body. */
export function requestTable(room: NamingRoom & ConfigsRoom): ReadonlyMap<string, Answering> {
  const naming = namingCalls(room);
  const config = configCalls(room);
  const one = oneInstance(room.limits);
  const many = listOf(room.limits.maxBatch);
  return new Map<string, Answering>([
    ['InstanceRequest', { need: 'write', answer: 'InstanceResponse', from: naming.instance, limits: one }],
    ['BatchInstanceRequest', { need: 'write', answer: 'BatchInstanceResponse', from: naming.batch, limits: many }],
    ['PersistentInstanceRequest', { need: 'write', answer: 'InstanceResponse', from: naming.persistent, limits: one }],
    [
      'SubscribeServiceRequest',
      { need: 'read', answer: 'SubscribeServiceResponse', from: naming.subscribe, failure: NO_SERVICE },
    ],
    ['ServiceQueryRequest', { need: 'read', answer: 'QueryServiceResponse', from: naming.query, failure: NO_SERVICE }],
    [
      'ServiceListRequest',
      { need: 'read', answer: 'ServiceListResponse', from: naming.list, failure: { count: 0, serviceNames: [] } },
    ],
    [
      'ConfigQueryRequest',
      { need: 'read', answer: 'ConfigQueryResponse', from: config.query, failure: { lastModified: 0, beta: false } },
    ],
    ['ConfigPublishRequest', { need: 'write', answer: 'ConfigPublishResponse', from: config.publish, limits: ONE_TEXT }],
    ['ConfigRemoveRequest', { need: 'write', answer: 'ConfigRemoveResponse', from: config.remove }],
    [
      'ConfigBatchListenRequest',
      {
        need: 'read',
        answer: 'ConfigChangeBatchListenResponse',
        from: config.listen,
        limits: TEXTS,
        failure: { changedConfigs: [] },
      },
    ],
  ]);
}

/** As many as a connection may listen to by default, in few words each. */
const TEXTS = { ...ONE_TEXT, maxValues: 80_000 };

/** No client does without a list, though it be nobody's. */
const NO_SERVICE = {
  serviceInfo: {
    name: '',
    groupName: '',
    clusters: '',
    cacheMillis: 10_000,
    hosts: [],
    lastRefTime: 0,
    checksum: '',
    reachProtectionThreshold: false,
  },
};
