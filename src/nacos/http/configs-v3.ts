import type { Config } from '../configs.ts';
import { RequestError } from '../errors.ts';
import { Long, manyOf } from '../many.ts';
import { HOME } from '../rules.ts';
import { after } from '../turns.ts';
import { findConfigs, pageOfConfigs, tenantOf } from './config-pages.ts';
import {
  type ConfigsRoom,
  heardAt,
  listenersByName,
  namedIn,
  publishText,
  readConfigId,
  removeNumbered,
  removeText,
} from './configs.ts';
import { optional, Params, required } from './params.ts';
import type { Asked } from './route.ts';

/** The calls about texts in the words of 3.x: its clients read, and its operators and their tools do the rest. */
export function configCallsV3(room: ConfigsRoom) {
  return { ...textCalls(room), ...listCalls(room) };
}

/** One text. */
function textCalls({ configs }: ConfigsRoom) {
  return {
    /** Clients are told that there is no such text in a reply of status 200. */
    get({ params }: Asked): object {
      const config = configs.get(readIdV3(params));
      if (config === undefined) return { code: 20_004, message: 'resource not found', data: null };
      const { content, type, md5, modifiedAt } = config;
      const found = { resultCode: 200, errorCode: 0, message: null, requestId: null, content, encryptedDataKey: '' };
      const data = { ...found, contentType: type, md5, lastModified: modifiedAt, tag: null, beta: false, success: true };
      return { code: 0, message: 'success', data };
    },

    show({ params }: Asked): object {
      const config = configs.get(readIdV3(params));
      if (config === undefined) throw new RequestError('not-found', 'Config not exist, please publish Config first.');
      const { content, createdAt, modifiedAt } = config;
      const times = { createTime: createdAt, modifyTime: modifiedAt };
      const unsaid = { desc: null, encryptedDataKey: '', createUser: null, createIp: null, configTags: null };
      return { ...briefView(config), ...times, content, ...unsaid };
    },

    publish: (asked: Asked): boolean => publishText(configs, readIdV3(asked.params), asked),

    remove: ({ params }: Asked): boolean => removeText(configs, readIdV3(params), params),

    removeBatch({ params }: Asked): boolean {
      removeNumbered(configs, required(params, 'ids').split(','), params);
      return true;
    },
  };
}

/** Many of them, and who listens. */
function listCalls({ configs, configListeners, limits, walks }: ConfigsRoom) {
  return {
    list({ params, caller }: Asked): object | Promise<object> {
      const search = optional(params, 'search') === 'accurate' ? 'accurate' : 'blur';
      const group = optional(params, 'groupName');
      const wanted = group === undefined ? params : params.with('group', group);
      const found = walks.run(findConfigs(configs, wanted, search), caller);
      return after(found, (all) => pageOfConfigs(all, params, limits.maxConfigPageBytes, briefView));
    },

    /** Who listens to a text, by address, each with what it has. */
    listenersOf({ params, caller }: Asked): object | Promise<object> {
      const heard = walks.run(
        listenersByName(configListeners.of(readIdV3(params)), ({ ip }) => ip),
        caller,
      );
      return after(heard, (listenersStatus) => new Long({ queryType: 'config', listenersStatus }));
    },

    /** What is listened to from an address. */
    listenedFrom({ params, caller }: Asked): object | Promise<object> {
      const heard = walks.run(listenersByName(heardAt({ configListeners }, params), namedIn), caller);
      return after(heard, (listenersStatus) => new Long({ queryType: 'ip', listenersStatus }));
    },

    historyPage: ({ params }: Asked): object => pageOfConfigs([], params, limits.maxConfigPageBytes, briefView),

    /** What texts were is not kept: it is answered as one that Nacos does not know. */
    historyEntry({ params }: Asked): never {
      required(params, optional(params, 'id') === undefined ? 'nid' : 'id');
      throw new RequestError('invalid', 'Source must not be null');
    },

    names: ({ params, caller }: Asked): object | Promise<object> =>
      after(
        walks.run(findConfigs(configs, namespaceAlone(params), 'accurate'), caller),
        (all) => new Long(manyOf(all, briefView)),
      ),
  };
}

function namespaceAlone(params: Params): Params {
  const alone = Params.of({ namespaceId: params.get('namespaceId') ?? '' });
  alone.permit = params.permit;
  return alone;
}

/** Without what it says. */
function briefView(config: Config): object {
  const { id, serial, md5, type } = config;
  const named = { id: String(serial), namespaceId: tenantOf(config) || HOME.namespace, groupName: id.group, dataId: id.dataId };
  return { ...named, md5, type, appName: '', createTime: 0, modifyTime: 0 };
}

/** What is missing is said in the words of 3.x: in plain text where clients read it so. */
function readIdV3(params: Params): ReturnType<typeof readConfigId> {
  const given = { dataId: optional(params, 'dataId'), groupName: optional(params, 'groupName') ?? optional(params, 'group') };
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) continue;
    const text = `Required parameter '${name}' type String is not present`;
    throw new RequestError('missing-param', `caused: ${text};`, text);
  }
  return readConfigId(params);
}
