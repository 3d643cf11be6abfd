import { useState } from 'preact/hooks';
import type { InstanceRef, InstanceRow, ServiceRef } from '../../../src/console/api.ts';
import { Confirm, Dialog, Field } from '../parts/dialog.tsx';
import { addressOf, serviceHref, shortName } from '../parts/links.tsx';
import { go, param } from '../route.ts';
import { session } from '../session.ts';
import { perform } from '../toasts.ts';
import { words } from '../words.ts';
import { Deregister, Metadata, Unedit, Weight } from './edits.tsx';
import { Offline, type OfInstance, Online } from './offline.tsx';

/** What operators do, each asked for once and said with a way back. The server decides who may; where nobody may, nothing is shown. */

const t = words({
  en: {
    offline: 'Take offline',
    online: 'Bring online',
    more: 'More actions: {who}',
    weight: 'Weight',
    metadata: 'Metadata',
    unedit: 'Drop edits',
    deregister: 'Deregister',
    takesOut: 'No calls, for a time or until further notice.',
    takesIn: 'Calls again.',
    weighs: 'How many calls it takes beside others; now {weight}.',
    tells: 'What consumers read of it, key by key.',
    ends: 'Back to what its client says.',
    removes: 'Out of the registry, with its edits.',
    create: 'Create service',
    name: 'Name',
    group: 'Group',
    namespace: 'Namespace',
    created: 'It is known from now on, and NOT_SERVING until it has instances.',
    isCreated: '{who} is created',
    remove: 'Delete service',
    deletes: 'It is not known any more, and whoever asks for it is told so.',
    fades: 'It has no instances and would be forgotten by itself before long.',
    isDeleted: '{who} is deleted',
  },
  'zh-CN': {
    offline: '下线',
    online: '上线',
    more: '更多操作：{who}',
    weight: '权重',
    metadata: '元数据',
    unedit: '清除修改',
    deregister: '注销',
    takesOut: '不再接收调用，可设时长。',
    takesIn: '重新接收调用。',
    weighs: '接收调用的比重，当前为 {weight}。',
    tells: '消费者读取的信息，按键修改。',
    ends: '恢复为客户端注册的内容。',
    removes: '从注册中心移除，连同其修改。',
    create: '创建服务',
    name: '服务名',
    group: '分组',
    namespace: '命名空间',
    created: '创建后即为已知服务，有实例之前为 NOT_SERVING。',
    isCreated: '{who} 已创建',
    remove: '删除服务',
    deletes: '删除后查询该服务将得到“未知”。',
    fades: '该服务没有实例，不久会自动清除。',
    isDeleted: '{who} 已删除',
  },
});

const DIALOGS = { offline: Offline, online: Online, weight: Weight, metadata: Metadata, unedit: Unedit, deregister: Deregister };

type Which = keyof typeof DIALOGS;

/** The first thing that one does to an instance, and the others behind it: `<InstanceActions of={ref} row={row} />`. */
export function InstanceActions({ of: said, row }: { readonly of: InstanceRef; readonly row: InstanceRow }) {
  const [asked, ask] = useState<Which | 'more'>();
  if (session.value?.mayOperate !== true) return null;
  const { namespace, group, service, ip, port } = said;
  // Whatever else it carries is none of what is sent.
  const of = { namespace, group, service, ip, port };
  const first = row.enabled && row.drain === undefined ? 'offline' : 'online';
  const props = { of, row, onClose: () => ask(undefined) };
  const Asked = asked === undefined || asked === 'more' ? undefined : DIALOGS[asked];
  return (
    <span class="act">
      <button type="button" onClick={() => ask(first)}>
        {t(first)}
      </button>
      <button
        type="button"
        class="quiet"
        aria-haspopup="dialog"
        aria-label={t('more', { who: addressOf(of) })}
        title={t('more', { who: addressOf(of) })}
        onClick={() => ask('more')}
      >
        ⋯
      </button>
      {asked === 'more' && <More {...props} first={first} onAsk={ask} />}
      {Asked !== undefined && <Asked {...props} />}
    </span>
  );
}

interface MoreProps extends OfInstance {
  readonly first: 'offline' | 'online';
  readonly onAsk: (which: Which) => void;
}

function More({ of, row, first, onAsk, onClose }: MoreProps) {
  const items: readonly (readonly [Which, string])[] = [
    [first, t(first === 'offline' ? 'takesOut' : 'takesIn')],
    ['weight', t('weighs', { weight: row.weight })],
    ['metadata', t('tells')],
    ...(row.edit === undefined ? [] : [['unedit', t('ends')] as const]),
    ['deregister', t('removes')],
  ];
  return (
    <Dialog title={addressOf(of)} onClose={onClose}>
      <ul class="menu">
        {items.map(([which, says]) => (
          <li key={which}>
            <button type="button" onClick={() => onAsk(which)}>
              {t(which)}
              <small>{says}</small>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

interface OfService {
  readonly of: ServiceRef;
  readonly total: number;
  /** It was created, and stays without instances. */
  readonly isCreated: boolean;
}

/** What one does to a service; nothing while it has instances: `<ServiceActions of={ref} total={total} isCreated={isCreated} />`. */
export function ServiceActions({ of, total, isCreated }: OfService) {
  const [isAsked, ask] = useState(false);
  if (session.value?.mayOperate !== true || total > 0) return null;
  const { namespace, group, service } = of;
  const who = shortName(of);
  return (
    <>
      <button type="button" class="danger" onClick={() => ask(true)}>
        {t('remove')}
      </button>
      {isAsked && (
        <Confirm
          title={`${t('remove')}: ${who}`}
          yes={t('remove')}
          isDangerous
          onClose={() => ask(false)}
          onYes={() => perform({ do: 'delete-service', namespace, group, service }, t('isDeleted', { who }))}
        >
          <p>{t('deletes')}</p>
          {!isCreated && <p>{t('fades')}</p>}
        </Confirm>
      )}
    </>
  );
}

/** A service that is to be known before it has instances: `<CreateService />`. */
export function CreateService() {
  const [isAsked, ask] = useState(false);
  if (session.value?.mayOperate !== true) return null;
  const create = async ({ service = '', group = '', namespace = '' }: Readonly<Record<string, string>>) => {
    const of = { namespace: namespace.trim(), group: group.trim(), service: service.trim() };
    const isDone = await perform({ do: 'create-service', ...of }, t('isCreated', { who: shortName(of) }));
    if (isDone) go(serviceHref(of));
    return isDone;
  };
  return (
    <>
      <button type="button" onClick={() => ask(true)}>
        {t('create')}
      </button>
      {isAsked && (
        <Confirm title={t('create')} yes={t('create')} onClose={() => ask(false)} onYes={create}>
          <Field name="service" label={t('name')} isRequired />
          <Field name="group" label={t('group')} value={param('group') || 'DEFAULT_GROUP'} isRequired />
          <Field name="namespace" label={t('namespace')} value={param('namespace') || 'public'} isRequired />
          <small>{t('created')}</small>
        </Confirm>
      )}
    </>
  );
}
