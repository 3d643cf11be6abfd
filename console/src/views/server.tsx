import type { OptionRow, ServerFacts } from '../../../src/console/api.ts';
import { Ago } from '../clock.tsx';
import { Empty } from '../parts/empty.tsx';
import { Facts } from '../parts/facts.tsx';
import { Section, Title } from '../parts/section.tsx';
import { Status } from '../parts/status.tsx';
import { Table } from '../parts/table.tsx';
import { param, setParam } from '../route.ts';
import { viewTitle } from '../titles.ts';
import type { ViewProps } from '../views.ts';
import { number, words } from '../words.ts';

const t = words({
  en: {
    hidden: 'What is said of the process itself is for who may read everything.',
    version: 'Version',
    node: 'Node',
    since: 'Started',
    memory: 'Memory',
    megabytes: '{count} MB',
    pid: 'Process',
    host: 'Host',
    main: 'Main port',
    grpc: 'Port of 2.x clients',
    health: 'Port of health alone',
    tls: 'Port of TLS alone',
    store: 'Store',
    storeOff: 'none: a restart forgets everything',
    storeOn: 'kept on disk',
    certificate: 'TLS certificate',
    noTls: 'no TLS',
    until: 'ends',
    replicas: 'Replicas',
    alone: 'none: it works alone',
    parts: 'Parts',
    part: 'Part',
    status: 'Status',
    well: 'ok',
    unwell: 'failing',
    says: 'It says',
    limits: 'Limits',
    limit: 'Limit',
    used: 'Used',
    most: 'At most',
    option: 'Option',
    refused: 'Refused since the start',
    reason: 'By which limit or rule',
    count: 'How often',
    nothing: 'Nothing was refused.',
    options: 'Options',
    own: 'only those that were set',
    noneSet: 'None was set: all are as they are by default.',
    forOperators: 'Options are for who may operate everything.',
    value: 'Value',
    source: 'From',
    help: 'What it does',
    flag: 'command line',
    env: 'environment',
    file: 'file',
    default: 'default',
    program: 'program',
  },
  'zh-CN': {
    hidden: '只有可读取全部内容的用户才能查看进程信息。',
    version: '版本',
    node: 'Node',
    since: '启动时间',
    memory: '内存',
    megabytes: '{count} MB',
    pid: '进程号',
    host: '主机',
    main: '主端口',
    grpc: '2.x 客户端端口',
    health: '仅健康检查端口',
    tls: '仅 TLS 端口',
    store: '存储',
    storeOff: '无：重启后不保留任何数据',
    storeOn: '保存在磁盘',
    certificate: 'TLS 证书',
    noTls: '未启用 TLS',
    until: '到期',
    replicas: '副本',
    alone: '无：单机运行',
    parts: '组成部分',
    part: '部分',
    status: '状态',
    well: '正常',
    unwell: '异常',
    says: '说明',
    limits: '上限',
    limit: '上限',
    used: '已用',
    most: '最多',
    option: '选项',
    refused: '启动以来的拒绝',
    reason: '上限或规则',
    count: '次数',
    nothing: '没有被拒绝的请求。',
    options: '选项',
    own: '仅显示已设置的',
    noneSet: '没有设置任何选项，均为默认值。',
    forOperators: '只有可操作全部内容的用户才能查看选项。',
    value: '值',
    source: '来源',
    help: '作用',
    flag: '命令行',
    env: '环境变量',
    file: '配置文件',
    default: '默认',
    program: '程序',
  },
});

/** The process itself: what it is made of, how much of its limits is used, what it was told. */
export function Server({ facts }: ViewProps<'server'>) {
  if (facts.process === null) {
    return (
      <>
        <Title title={viewTitle('server')} />
        <Empty>{t('hidden')}</Empty>
      </>
    );
  }
  // What is said of them in one line stands below in a table.
  const parts = facts.parts.filter(({ name }) => name !== 'limits');
  return (
    <>
      <Title title={viewTitle('server')} note={`beatbridge ${facts.process.version}`} />
      <Section title={t('parts')}>
        <About facts={facts} process={facts.process} />
        <Table
          caption={t('parts')}
          rows={parts.map((part) => ({ ...part, key: part.name }))}
          look={({ ok }) => (ok ? undefined : 'bad')}
          columns={[
            { title: t('part'), cell: ({ name }) => <code class="short">{name}</code> },
            {
              title: t('status'),
              cell: ({ ok }) => <Status is={ok ? 'healthy' : 'unhealthy'} says={t(ok ? 'well' : 'unwell')} />,
            },
            { title: t('says'), cell: ({ says }) => <small>{says}</small> },
          ]}
        />
      </Section>
      <Limits of={facts.limits} />
      <Refusals of={facts.refused} />
      <Section
        title={t('options')}
        note={facts.options === null ? undefined : number(facts.options.length)}
        actions={facts.options !== null && <OnlyOwn />}
      >
        {facts.options === null ? <Empty>{t('forOperators')}</Empty> : <Options of={facts.options} />}
      </Section>
    </>
  );
}

interface AboutProps {
  readonly facts: ServerFacts;
  readonly process: NonNullable<ServerFacts['process']>;
}

function About({ facts: { listeners, store, certificate, replicas }, process }: AboutProps) {
  const port = (name: string) => listeners[name] !== undefined && <code>{listeners[name]}</code>;
  return (
    <Facts
      of={[
        [t('since'), <Ago key="since" at={process.startedAt} />],
        [t('version'), process.version],
        [t('node'), process.node],
        [t('memory'), t('megabytes', { count: process.memoryBytes / 1_000_000 })],
        [t('pid'), process.pid === undefined ? undefined : String(process.pid)],
        [t('host'), process.host],
        [t('main'), port('main')],
        [t('grpc'), port('grpc')],
        [t('health'), port('health')],
        [t('tls'), port('tls')],
        [t('store'), store === null ? t('storeOff') : (store.trouble ?? store.directory ?? t('storeOn'))],
        [
          t('certificate'),
          certificate === null ? (
            t('noTls')
          ) : (
            <>
              <Status is={certificate.ok ? 'healthy' : 'unhealthy'} says={certificate.subject} /> {t('until')}{' '}
              <Ago at={certificate.until} />
            </>
          ),
        ],
        [t('replicas'), replicas.length === 0 ? t('alone') : replicas.join(', ')],
      ]}
    />
  );
}

function Limits({ of }: { readonly of: ServerFacts['limits'] }) {
  return (
    <Section title={t('limits')}>
      <Table
        caption={t('limits')}
        rows={of.map((limit) => ({ ...limit, key: limit.name }))}
        look={({ used, most }) => (used >= most ? 'bad' : used >= most * 0.9 ? 'warn' : undefined)}
        columns={[
          { title: t('limit'), cell: ({ name }) => name },
          {
            title: t('used'),
            cell: ({ name, used, most }) => (
              <>
                <meter aria-label={name} min={0} max={most} high={most * 0.9} value={used} /> {number(used)}
              </>
            ),
            isNumber: true,
          },
          { title: t('most'), cell: ({ most }) => number(most), isNumber: true },
          { title: t('option'), cell: ({ option }) => option !== undefined && <code>{option}</code>, isMinor: true },
        ]}
      />
    </Section>
  );
}

function Refusals({ of }: { readonly of: ServerFacts['refused'] }) {
  return (
    <Section title={t('refused')}>
      <Table
        caption={t('refused')}
        rows={of.map(([reason, count]) => ({ key: reason, count }))}
        empty={t('nothing')}
        columns={[
          { title: t('reason'), cell: ({ key }) => key },
          { title: t('count'), cell: ({ count }) => number(count), isNumber: true },
        ]}
      />
    </Section>
  );
}

/** The page's own: the server sends them all. */
function OnlyOwn() {
  return (
    <label>
      <input
        type="checkbox"
        checked={param('_all') === ''}
        onChange={({ currentTarget }) => setParam('_all', currentTarget.checked ? '' : 'true', 'replace')}
      />{' '}
      {t('own')}
    </label>
  );
}

function Options({ of }: { readonly of: readonly OptionRow[] }) {
  const rows = param('_all') === '' ? of.filter(({ source }) => source !== 'default') : of;
  return (
    <Table
      caption={t('options')}
      rows={rows.map((row) => ({ ...row, key: row.flag }))}
      empty={t('noneSet')}
      columns={[
        { title: t('option'), cell: ({ flag }) => <code>{flag}</code> },
        { title: t('value'), cell: ({ value }) => <code>{value}</code> },
        { title: t('source'), cell: ({ source }) => (source === 'default' ? <small>{t(source)}</small> : <b>{t(source)}</b>) },
        { title: t('help'), cell: ({ help }) => <small>{help}</small>, isMinor: true },
      ]}
    />
  );
}
