import type { ServiceFacts, ServiceRef } from '../../../../src/console/api.ts';
import { Code } from '../../parts/copy.tsx';
import { Section } from '../../parts/section.tsx';
import { go, href, param, route } from '../../route.ts';
import { words } from '../../words.ts';
import { type RecipeId, recipesOf } from './recipes.ts';

const t = words({
  en: {
    asking: 'How to ask',
    name: 'by its health name',
    curl: 'HTTP status 200 while it serves, 503 if not, 404 if nobody knows it; or the answer of grpc.health.v1 as JSON.',
    beatbridge: 'Exit code 0 while it serves, 4 if not; and why.',
    probe: 'Exit code 0 while it serves, 4 if not.',
    grpcurl: 'Look at the status in the answer: NOT_SERVING is an answer too.',
    haproxy: 'Each server by its own health. The name of a server has to be IP:PORT as it was registered.',
    envoy: 'All endpoints go up and down together, with the service.',
    kubernetes:
      'Readiness of each pod by its own instance; 8080 stands for its port. The image needs a shell and grpc_health_probe.',
    spring: 'Registers as this service, and keeps itself alive.',
    dubbo: 'The registry of providers and consumers; and asking from dubbo-go.',
    login: 'Health needs a login here: TOKEN is what beatbridge new-token or a login gives.',
  },
  'zh-CN': {
    asking: '如何查询健康状态',
    name: '健康检查名称',
    curl: '可用时返回 HTTP 200，不可用 503，未知 404；也可以用 JSON 调用 grpc.health.v1。',
    beatbridge: '可用时退出码为 0，不可用为 4；第二条说明原因。',
    probe: '可用时退出码为 0，不可用为 4。',
    grpcurl: '请看返回的 status：NOT_SERVING 也是正常返回。',
    haproxy: '每台服务器按各自实例的健康状态上下线。server 名称必须是注册时的 IP:PORT。',
    envoy: '全部端点随服务一起上下线。',
    kubernetes: '每个 Pod 按自己的实例决定就绪；8080 换成实际端口。镜像需要 shell 和 grpc_health_probe。',
    spring: '注册为该服务并自动保持心跳。',
    dubbo: '提供者和消费者的注册中心地址；以及在 dubbo-go 中查询。',
    login: '此处健康检查需要登录：TOKEN 来自 beatbridge new-token 或登录。',
  },
});

interface Props {
  readonly of: ServiceRef;
  readonly asking: NonNullable<ServiceFacts['asking']>;
  readonly instances: readonly string[];
}

/** How this service is asked for, ready to be pasted; which of them is open, the address says. */
export function AskingFor({ of, asking, instances }: Props) {
  const recipes = recipesOf({ of, asking, instances, hostname: location.hostname });
  const open = recipes.find(({ id }) => id === param('_ask')) ?? recipes[0];
  if (open === undefined) return null;
  const needsLogin = asking.needsLogin && WITH_LOGIN.has(open.id);
  return (
    <Section
      title={t('asking')}
      note={
        <>
          {t('name')} <code>{asking.name}</code>
        </>
      }
    >
      <div class="tabs" role="tablist" aria-label={t('asking')}>
        {recipes.map(({ id, title }) => (
          <button
            key={id}
            id={`ask-${id}`}
            type="button"
            role="tab"
            aria-selected={id === open.id}
            aria-controls="asked"
            tabIndex={id === open.id ? 0 : -1}
            onClick={() => choose(id)}
            onKeyDown={({ key, currentTarget }) => {
              const next =
                key === 'ArrowRight' ? currentTarget.nextSibling : key === 'ArrowLeft' && currentTarget.previousSibling;
              if (next instanceof HTMLElement) {
                next.focus();
                next.click();
              }
            }}
          >
            {title}
          </button>
        ))}
      </div>
      <div id="asked" role="tabpanel" aria-labelledby={`ask-${open.id}`}>
        <p class="note">
          {t(open.id)} {needsLogin && t('login')}
        </p>
        <Code text={open.text} />
      </div>
    </Section>
  );
}

const WITH_LOGIN: ReadonlySet<RecipeId> = new Set(['curl', 'beatbridge', 'probe', 'grpcurl']);

/** Whatever else the address says stays: the page of the instances, too. */
function choose(id: RecipeId): void {
  const { view, params } = route.peek();
  go(href(view, { ...params, _ask: id }), 'replace');
}
