import { type ConfigId, type Configs, configUnknown } from '../configs.ts';
import { MissingParam, RequestError } from '../errors.ts';
import { isObject, type JsonObject } from '../json.ts';
import { HOME } from '../rules.ts';
import { flagOf, textOf } from './bodies.ts';
import type { Asker } from './connection.ts';
import type { ListenedConfigs } from './listened-configs.ts';

/** What the calls about configs work on. */
export interface ConfigsRoom {
  readonly configs: Configs;
  readonly listenedConfigs: ListenedConfigs;
}

/** The calls of the 2.x protocol about configs. */
export function configCalls({ configs, listenedConfigs }: ConfigsRoom) {
  return {
    query(body: JsonObject): object {
      const config = configs.get(configIdOf(body));
      if (config === undefined) throw configUnknown();
      const { content, md5, type, modifiedAt } = config;
      // No tag: some clients take it for a text, others for a truth value.
      return { content, md5, contentType: type, lastModified: modifiedAt, beta: false };
    },

    publish(body: JsonObject): object {
      const id = configIdOf(body);
      if (id.dataId === '') throw new MissingParam('dataId');
      const content = textOf(body, 'content', Number.POSITIVE_INFINITY);
      if (content.trim() === '') throw new MissingParam('content');
      const type = isObject(body.additionMap) ? textOf(body.additionMap, 'type') : '';
      if (configs.publish(id, content, type || 'text', textOf(body, 'casMd5').trim())) return {};
      throw new RequestError('conflict', 'Cas publish fail, server md5 may have changed.');
    },

    remove(body: JsonObject): object {
      configs.remove(configIdOf(body));
      return {};
    },

    /** Answers what is not as the client believes. */
    listen(body: JsonObject, { connection }: Asker): object {
      const contexts = body.configListenContexts ?? [];
      if (!Array.isArray(contexts) || !contexts.every(isObject))
        throw new RequestError('invalid', 'configListenContexts must be a list of objects');
      const listening = flagOf(body, 'listen');
      const changedConfigs: object[] = [];
      for (const context of contexts) {
        const id = configIdOf(context);
        if (!listening) {
          listenedConfigs.unlisten(connection, id);
          continue;
        }
        const believed = { tenant: textOf(context, 'tenant'), md5: textOf(context, 'md5') };
        if (!listenedConfigs.listen(connection, id, believed)) continue;
        // Rust's client wants a tenant that it has sent, though it be blank.
        const { tenant } = context;
        changedConfigs.push({ dataId: id.dataId, group: id.group, ...(typeof tenant === 'string' && { tenant }) });
      }
      return { changedConfigs };
    },
  };
}

const MAX_ID_LENGTH = 256;

/** The default namespace is blank to some clients and `public` to others. */
function configIdOf(body: JsonObject): ConfigId {
  const id = {
    namespace: textOf(body, 'tenant').trim() || HOME.namespace,
    group: textOf(body, 'group').trim() || HOME.group,
    dataId: textOf(body, 'dataId').trim(),
  };
  for (const [name, text] of Object.entries(id)) {
    if (text.length > MAX_ID_LENGTH || /\s/.test(text))
      throw new RequestError('invalid', `${name} must have at most ${MAX_ID_LENGTH} characters and no white space`);
  }
  return id;
}
