import { useId, useState } from 'preact/hooks';
import type { Action } from '../../../src/console/api.ts';
import { Confirm, Dialog, Field } from '../parts/dialog.tsx';
import { Facts } from '../parts/facts.tsx';
import { addressOf } from '../parts/links.tsx';
import { perform } from '../toasts.ts';
import { number, words } from '../words.ts';
import type { OfInstance } from './offline.tsx';

const t = words({
  en: {
    weight: 'Weight',
    setWeight: 'Set weight',
    weighs: '0 to 10000; 0 takes no calls.',
    client: 'Its client says {value}.',
    isWeight: 'The weight of {who} is {value}',
    metadata: 'Metadata',
    key: 'Key',
    value: 'Value',
    set: 'Set value',
    remove: 'Take the key away',
    asClient: 'As its client says',
    keeps: 'What is edited stays so whatever its client registers later; other keys follow the client.',
    isMetadata: '{key} of {who} is edited',
    isAsClient: '{key} of {who} is as its client says',
    unedit: 'Drop edits',
    ends: 'All that operators have edited ends; the instance is as its client says again.',
    isUnedited: 'The edits of {who} are dropped',
    gone: '(taken away)',
    yes: 'yes',
    no: 'no',
    enabled: 'Online',
    deregister: 'Deregister',
    held: 'It is removed at once, and its edits with it. While its process lives it registers again.',
    persists: 'It is removed for good, with its edits.',
    connected: 'A connection holds it: it stays for as long as that. Take it offline instead.',
    isDeregistered: '{who} is deregistered',
  },
  'zh-CN': {
    weight: '权重',
    setWeight: '设置权重',
    weighs: '0 到 10000；为 0 时不接收调用。',
    client: '客户端的值为 {value}。',
    isWeight: '{who} 的权重为 {value}',
    metadata: '元数据',
    key: '键',
    value: '值',
    set: '设置值',
    remove: '删除该键',
    asClient: '恢复客户端的值',
    keeps: '无论客户端之后如何注册，修改过的键保持不变；其余的键跟随客户端。',
    isMetadata: '已修改 {who} 的 {key}',
    isAsClient: '{who} 的 {key} 已恢复为客户端的值',
    unedit: '清除修改',
    ends: '清除运维人员的全部修改，实例恢复为客户端注册的内容。',
    isUnedited: '已清除对 {who} 的修改',
    gone: '（已删除）',
    yes: '是',
    no: '否',
    enabled: '上线',
    deregister: '注销',
    held: '立即移除该实例及其修改。若其进程仍在运行，会再次注册。',
    persists: '永久移除该实例及其修改。',
    connected: '该实例由连接保持，连接存在期间不会移除。请改为下线。',
    isDeregistered: '{who} 已注销',
  },
});

export function Weight({ of, row, onClose }: OfInstance) {
  const who = addressOf(of);
  const said = row.edit?.weight === undefined ? '' : t('client', { value: row.registered?.weight ?? '' });
  return (
    <Confirm
      title={`${t('weight')}: ${who}`}
      yes={t('setWeight')}
      onClose={onClose}
      onYes={({ weight = '' }) => {
        const value = Number(weight.replace(',', '.'));
        return perform({ do: 'weight', ...of, weight: value }, t('isWeight', { who, value }));
      }}
    >
      <Field
        name="weight"
        label={t('weight')}
        kind="number"
        value={String(row.weight)}
        note={`${t('weighs')} ${said}`}
        isRequired
      />
    </Confirm>
  );
}

/** One key at a time: what it is now is there to be changed. */
export function Metadata({ of, row, onClose }: OfInstance) {
  const [key, setKey] = useState('');
  const [value, setValue] = useState('');
  const id = useId();
  const who = addressOf(of);
  const isThere = Object.hasOwn(row.metadata, key);
  const isEdited = Object.hasOwn(row.edit?.metadata ?? {}, key);
  const choose = (to: string) => {
    setKey(to);
    if (Object.hasOwn(row.metadata, to)) setValue(row.metadata[to] ?? '');
  };
  const act = async (action: Action, says: string) => {
    if (await perform(action, says)) onClose();
  };
  // Entries, and not an assignment: a key may be called __proto__.
  const edit = (to: string | null) =>
    act({ do: 'metadata', ...of, metadata: Object.fromEntries([[key, to]]) }, t('isMetadata', { key, who }));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void edit(value);
  };
  return (
    <Dialog title={`${t('metadata')}: ${who}`} onClose={onClose}>
      <form class="form" onSubmit={submit}>
        <div class="field">
          <label htmlFor={`${id}k`}>{t('key')}</label>
          <input
            id={`${id}k`}
            class="mono"
            list={`${id}l`}
            required
            value={key}
            onInput={({ currentTarget }) => choose(currentTarget.value)}
          />
          <datalist id={`${id}l`}>
            {Object.keys({ ...row.metadata, ...row.edit?.metadata }).map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
        </div>
        <div class="field">
          <label htmlFor={`${id}v`}>{t('value')}</label>
          <input id={`${id}v`} class="mono" value={value} onInput={({ currentTarget }) => setValue(currentTarget.value)} />
          <small>{t('keeps')}</small>
        </div>
        <div class="actions">
          {isEdited && (
            <button
              type="button"
              onClick={() => void act({ do: 'edit', ...of, edit: {}, ended: [`metadata.${key}`] }, t('isAsClient', { key, who }))}
            >
              {t('asClient')}
            </button>
          )}
          {isThere && (
            <button type="button" class="danger" onClick={() => void edit(null)}>
              {t('remove')}
            </button>
          )}
          <button type="submit" class="primary">
            {t('set')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What is edited is said before it ends. */
export function Unedit({ of, row, onClose }: OfInstance) {
  const who = addressOf(of);
  const { enabled, weight, metadata = {} } = row.edit ?? {};
  return (
    <Confirm
      title={`${t('unedit')}: ${who}`}
      yes={t('unedit')}
      onClose={onClose}
      onYes={() => perform({ do: 'unedit', ...of }, t('isUnedited', { who }))}
    >
      <Facts
        of={[
          [t('enabled'), enabled !== undefined && t(enabled ? 'yes' : 'no')],
          [t('weight'), weight !== undefined && number(weight)],
          ...Object.entries(metadata).map(([key, value]) => [key, value ?? t('gone')] as const),
        ]}
      />
      <p>{t('ends')}</p>
    </Confirm>
  );
}

export function Deregister({ of, row, onClose }: OfInstance) {
  const who = addressOf(of);
  const { kind } = row;
  return (
    <Confirm
      title={`${t('deregister')}: ${who}`}
      yes={t('deregister')}
      isDangerous
      onClose={onClose}
      onYes={() => perform({ do: 'deregister', ...of }, t('isDeregistered', { who }))}
    >
      <p>{t(kind === 'connection' ? 'connected' : kind === 'persistent' ? 'persists' : 'held')}</p>
    </Confirm>
  );
}
