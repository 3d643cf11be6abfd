import type { Asking, NameFacts, ServiceRow } from '../../../src/console/api.ts';
import { Ago } from '../clock.tsx';
import { Code } from '../parts/copy.tsx';
import { Facts } from '../parts/facts.tsx';
import { SearchBox } from '../parts/filters.tsx';
import { Name, serviceHref } from '../parts/links.tsx';
import { Section, Title } from '../parts/section.tsx';
import { Status } from '../parts/status.tsx';
import { Table } from '../parts/table.tsx';
import { href } from '../route.ts';
import { viewTitle } from '../titles.ts';
import type { ViewProps } from '../views.ts';
import { number, words } from '../words.ts';
import { recipesOf } from './service/recipes.ts';

const t = words({
  en: {
    note: 'How a health name reads, what it means now, and what Check answers',
    type: 'A health name, such as orders or G1@@orders',
    notAName: 'This is no health name: {fault}',
    namespace: 'Namespace',
    group: 'Group',
    service: 'Service',
    cluster: 'Cluster alone',
    instance: 'Instance alone',
    dubbo: 'Or as a key of Dubbo',
    anyGroup: 'any group',
    noGroup: 'no group',
    groupIs: 'group {group}',
    anyVersion: 'any version',
    noVersion: 'no version',
    versionIs: 'version {version}',
    found: 'What it means now',
    byBridge: 'No name at all means beatbridge itself: SERVING, until it drains.',
    byService: 'A service of that name is known in Nacos, and is meant.',
    byDubbo: 'No service has that very name: the providers of that interface are meant. The best of them decides.',
    byApplication:
      'No provider has registered that interface by itself: the applications that say they offer it are meant. The best of them decides.',
    byNone: 'Nobody by that name is known: Check answers NOT_FOUND, Watch SERVICE_UNKNOWN until somebody comes.',
    noPart: 'That cluster or instance is not there.',
    byHidden: 'It is known. What it means is not for you to see.',
    status: 'Status',
    available: 'Available',
    of: '{available} / {total} ({needed} needed)',
    since: 'Since',
    more: 'and {n} more',
    like: 'Names like it',
    knownNames: 'Known names',
    asking: 'How to ask for it',
    needsLogin: 'Health needs a login here: TOKEN is what beatbridge new-token or a login gives.',
    forms: 'Names are read in this order',
    form: 'Form',
    example: 'Example',
    meaning: 'Means',
    formNacos: 'name of Nacos',
    formNacosMeans:
      'The service of that name, in DEFAULT_GROUP or in the group before @@. Where it is known, nothing else is meant.',
    formDubbo: 'key of Dubbo',
    formDubboMeans: 'Providers of the interface, as [group/]interface[:version]. A bare interface means any group and version.',
    formApplication: 'interface of applications',
    formApplicationMeans: 'Applications that say in Nacos which interfaces they offer, as Dubbo 3 does.',
    formPart: 'a part, after any of them',
    formPartMeans: 'Another namespace or group; one cluster or one instance of it alone.',
  },
  'zh-CN': {
    note: '健康检查名称如何解析、现在指什么、Check 返回什么',
    type: '健康检查名称，例如 orders 或 G1@@orders',
    notAName: '不是有效的健康检查名称：{fault}',
    namespace: '命名空间',
    group: '分组',
    service: '服务',
    cluster: '仅此集群',
    instance: '仅此实例',
    dubbo: '或按 Dubbo 服务键',
    anyGroup: '任意分组',
    noGroup: '无分组',
    groupIs: '分组 {group}',
    anyVersion: '任意版本',
    noVersion: '无版本',
    versionIs: '版本 {version}',
    found: '现在的含义',
    byBridge: '空名称指 beatbridge 自身：在退出之前一直是 SERVING。',
    byService: 'Nacos 中已有同名服务，即指该服务。',
    byDubbo: '没有完全同名的服务：指该接口的提供者，以其中状态最好的为准。',
    byApplication: '没有提供者单独注册该接口：指声明提供该接口的应用，以其中状态最好的为准。',
    byNone: '没有已知的服务：Check 返回 NOT_FOUND，Watch 返回 SERVICE_UNKNOWN，直到有实例注册。',
    noPart: '但没有这个集群或实例。',
    byHidden: '该名称已知，但您无权查看其含义。',
    status: '状态',
    available: '可用实例',
    of: '{available} / {total}（需要 {needed}）',
    since: '开始时间',
    more: '另有 {n} 个',
    like: '相似的名称',
    knownNames: '已知的名称',
    asking: '如何查询',
    needsLogin: '此处健康检查需要登录：TOKEN 来自 beatbridge new-token 或登录。',
    forms: '名称按以下顺序解析',
    form: '形式',
    example: '示例',
    meaning: '含义',
    formNacos: 'Nacos 服务名',
    formNacosMeans: '该名称的服务，位于 DEFAULT_GROUP 或 @@ 之前的分组。只要该服务已知，就只指它。',
    formDubbo: 'Dubbo 服务键',
    formDubboMeans: '接口的提供者，写作 [group/]interface[:version]。只写接口名表示任意分组和版本。',
    formApplication: '应用提供的接口',
    formApplicationMeans: '在 Nacos 中声明提供该接口的应用，如 Dubbo 3 的做法。',
    formPart: '以上任一形式之后的限定',
    formPartMeans: '其他命名空间或分组；仅其中一个集群或一个实例。',
  },
});

/** What a health name means. */
export function NameView({ facts }: ViewProps<'name'>) {
  const { name, fault, status, like } = facts;
  return (
    <>
      <Title title={viewTitle('name')} note={t('note')} />
      <div class="filters wide">
        <SearchBox name="name" label={t('type')} />
      </div>
      <Section title={name === '' ? '""' : name} note={status !== null && <Status is={status} says={status} />}>
        <div role="status">
          {fault !== null ? (
            <p class="banner error">▲ {t('notAName', { fault })}</p>
          ) : (
            <p>
              {t(meaningOf(facts))} {facts.means.length > 0 && status === 'SERVICE_UNKNOWN' && isPart(facts) && t('noPart')}
            </p>
          )}
        </div>
        <Reading of={facts} />
        <Meant of={facts} />
      </Section>
      {like.length > 0 && (
        <Section title={t(name === '' ? 'knownNames' : 'like')}>
          <p class="names">
            {like.map((one) => (
              <Example key={one} name={one} />
            ))}
          </p>
        </Section>
      )}
      {facts.asking !== null && <AskingFor asking={facts.asking} />}
      <Forms />
    </>
  );
}

const MEANINGS = {
  bridge: 'byBridge',
  service: 'byService',
  dubbo: 'byDubbo',
  application: 'byApplication',
  none: 'byNone',
} as const;

function meaningOf({ by }: NameFacts) {
  return by === null ? 'byHidden' : MEANINGS[by];
}

function isPart({ read }: NameFacts): boolean {
  return read?.cluster !== undefined || read?.instance !== undefined;
}

function Reading({ of: { read } }: { readonly of: NameFacts }) {
  if (read === null || read.isBridge) return null;
  const { namespace, group, service, cluster, instance, dubbo } = read;
  return (
    <Facts
      of={[
        [t('service'), service],
        [t('group'), group],
        [t('namespace'), namespace],
        [t('cluster'), cluster],
        [t('instance'), instance],
        [t('dubbo'), dubbo && <DubboKey of={dubbo} />],
      ]}
    />
  );
}

function DubboKey({
  of: { interface: path, group, version },
}: {
  readonly of: NonNullable<NonNullable<NameFacts['read']>['dubbo']>;
}) {
  const inGroup = group === undefined ? t('anyGroup') : group === '' ? t('noGroup') : t('groupIs', { group });
  const ofVersion = version === undefined ? t('anyVersion') : version === '' ? t('noVersion') : t('versionIs', { version });
  return (
    <>
      <code>{path}</code>{' '}
      <small>
        {inGroup} · {ofVersion}
      </small>
    </>
  );
}

function Meant({ of: { means, meansCount } }: { readonly of: NameFacts }) {
  if (means.length === 0) return null;
  const rest = meansCount - means.length;
  return (
    <>
      <Table<ServiceRow>
        caption={t('found')}
        rows={means.map((row) => ({ ...row, key: serviceHref(row) }))}
        to={serviceHref}
        look={({ status }) => (status === 'NOT_SERVING' ? 'bad' : undefined)}
        columns={[
          { title: t('service'), cell: (row) => <Name of={row} /> },
          { title: t('status'), cell: (row) => <Status is={row.status} /> },
          {
            title: t('available'),
            isNumber: true,
            cell: ({ available, total, needed }) => t('of', { available, total, needed }),
          },
          { title: t('since'), cell: ({ since }) => since !== undefined && <Ago at={since} /> },
        ]}
      />
      {rest > 0 && <small>{t('more', { n: number(rest) })}</small>}
    </>
  );
}

function Example({ name }: { readonly name: string }) {
  return (
    <a class="mono" href={href('name', { name })}>
      {name}
    </a>
  );
}

function AskingFor({ asking }: { readonly asking: Asking }) {
  const { name, needsLogin } = asking;
  const all = recipesOf({ of: { namespace: '', group: '', service: name }, asking, instances: [], hostname: location.hostname });
  // Over HTTP the bridge itself has other paths.
  const shown = all.filter(({ id }) => id === 'grpcurl' || id === 'probe' || (id === 'curl' && name !== ''));
  return (
    <Section title={t('asking')} note={needsLogin && t('needsLogin')}>
      {shown.map(({ id, title, text }) => (
        <Code key={id} label={title} text={text} />
      ))}
    </Section>
  );
}

function Forms() {
  const forms = [
    { key: 'formNacos', examples: ['orders', 'G1@@orders'] },
    { key: 'formDubbo', examples: ['com.acme.Orders', 'blue/com.acme.Orders:1.0.0'] },
    { key: 'formApplication', examples: ['com.acme.Orders'] },
    { key: 'formPart', examples: ['orders?namespace=team-a', 'orders?cluster=HZ', 'orders?instance=10.0.0.1:8080'] },
  ] as const;
  return (
    <Section title={t('forms')}>
      <Table
        caption={t('forms')}
        rows={forms}
        columns={[
          { title: t('form'), cell: ({ key }) => t(key) },
          {
            title: t('example'),
            cell: ({ examples }) => (
              <span class="names">
                {examples.map((one) => (
                  <Example key={one} name={one} />
                ))}
              </span>
            ),
          },
          { title: t('meaning'), cell: ({ key }) => t(`${key}Means`) },
        ]}
      />
    </Section>
  );
}
