import type { Permit } from '../../rights/admission.ts';
import { type ConfigId, type Configs, configChanged, configUnknown, scopeOf } from '../configs.ts';
import { MissingParam, RequestError } from '../errors.ts';
import { permitted } from '../gate.ts';
import { isObject, type JsonObject } from '../json.ts';
import { checkedConfigId, checkedPublication } from '../rules.ts';
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
    query(body: JsonObject, { permit }: Asker): object {
      const config = configs.get(configIdOf(body, permit));
      if (config === undefined) throw configUnknown();
      const { content, md5, type, modifiedAt } = config;
      // No tag: some clients take it for a text, others for a truth value.
      return { content, md5, contentType: type, lastModified: modifiedAt, beta: false };
    },

    publish(body: JsonObject, { permit }: Asker): object {
      const id = configIdOf(body, permit);
      if (id.dataId === '') throw new MissingParam('dataId');
      const more = isObject(body.additionMap) ? body.additionMap : {};
      const { content, type } = checkedPublication({
        content: textOf(body, 'content', Number.POSITIVE_INFINITY),
        type: textOf(more, 'type'),
        tag: textOf(more, 'tag'),
        betaIps: textOf(more, 'betaIps'),
        encryptedDataKey: textOf(more, 'encryptedDataKey'),
      });
      if (configs.publish(id, content, type, textOf(body, 'casMd5').trim())) return {};
      throw configChanged();
    },

    /** With a tag it is about a text for some readers alone: there is none, and the one for all stays. */
    remove(body: JsonObject, { permit }: Asker): object {
      const id = configIdOf(body, permit);
      if (textOf(body, 'tag').trim() === '') configs.remove(id);
      return {};
    },

    /** Answers what is not as the client believes. */
    listen(body: JsonObject, { connection, permit }: Asker): object {
      const contexts = body.configListenContexts ?? [];
      if (!Array.isArray(contexts) || !contexts.every(isObject))
        throw new RequestError('invalid', 'configListenContexts must be a list of objects');
      const listening = flagOf(body, 'listen');
      const changedConfigs: object[] = [];
      for (const context of contexts) {
        const id = configIdOf(context, permit);
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

function configIdOf(body: JsonObject, permit: Permit | undefined): ConfigId {
  const id = checkedConfigId(textOf(body, 'tenant'), textOf(body, 'group'), textOf(body, 'dataId'));
  permitted(permit, 'config', scopeOf(id));
  return id;
}
