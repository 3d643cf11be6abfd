import type { Access } from '../access/access.ts';
import { AskedOverHttp } from '../access/asked-over-http.ts';
import type { Openness } from '../access/policy.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { Admission, Need, Permit, Refusal } from '../rights/admission.ts';
import { ASKED_AGAIN_MS } from '../wire/asked-again.ts';
import { pathOf, type Request, type Response, type Serve } from '../wire/exchange.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import { answerRefusal } from './pages.ts';

/** Who may be told of health, where that is not everybody: asked once, and again each minute while something is still being told. */
export function visitorsFor(access: Access, scheduler: Pick<Scheduler, 'every'>) {
  return (req: Request) => {
    const asked = new AskedOverHttp(req, { example: `${req.method} ${pathOf(req)}` });
    const refusal = () => {
      const admission = access.admit('probe', asked);
      return admission instanceof Promise ? admission.then(textOf) : textOf(admission);
    };
    return {
      refusal,
      follow: (end: (why: string) => void) => {
        const again = async () => {
          const why = await refusal();
          if (why !== undefined) end(why);
        };
        return scheduler.every(ASKED_AGAIN_MS, () => void again());
      },
    };
  };
}

function textOf(admission: Admission): string | undefined {
  return admission.isRefusal ? admission.text : undefined;
}

/**
 * Who may hear of what has happened: whoever may read it, service by service; what is about none, whoever may read all there is. Asked
 * again each minute while something is still being told.
 */
export function listenersFor(access: Access, { scheduler, wallClock }: ListenersRoom) {
  return (req: Request, res: Response) => {
    const asked = new AskedOverHttp(req, { isScoped: true, example: `${req.method} ${pathOf(req)}` });
    const heard = (admission: Admission) => {
      if (!admission.isRefusal) return { isAnswered: false, mayHear: hears(admission) } as const;
      answerRefusal(req, res, admission, wallClock());
      return { isAnswered: true } as const;
    };
    const admit = () => access.admit('read', asked);
    return {
      admitted() {
        const admission = admit();
        return admission instanceof Promise ? admission.then(heard) : heard(admission);
      },
      follow(end: () => void) {
        const again = async () => {
          if ((await admit()).isRefusal) end();
        };
        return scheduler.every(ASKED_AGAIN_MS, () => void again().catch(end));
      },
    };
  };
}

/**
 * Who looks at the console: what he may see is what he may read, and beside it whether he may operate. That he may not is no refusal, and
 * nobody hears of it.
 */
export function lookersFor(access: Access, { scheduler, wallClock }: ListenersRoom) {
  return (req: Request, res: Response) => {
    const asked = new AskedOverHttp(req, { isScoped: true, example: `${req.method} ${pathOf(req)}` });
    const readerOf = (permit: Permit, operate: Permit | undefined) => ({
      scope: `${permit.user ?? ''} ${operate !== undefined}`,
      maySee: (service: ServiceName) => permit.stillCovers({ kind: 'naming', ...service }),
      get maySeeAll() {
        return permit.stillCovers({ kind: 'naming' });
      },
      holds: () => permit.standing() === 'holds',
      mayOperate: (service?: ServiceName) => operate?.stillCovers({ kind: 'naming', ...service }) ?? false,
    });
    return {
      async admitted() {
        const permit = await access.admit('read', asked);
        if (!permit.isRefusal) return readerOf(permit, await access.permitFor('operate', asked));
        answerRefusal(req, res, permit, wallClock());
        return undefined;
      },
      follow(end: () => void) {
        const again = async () => {
          if ((await access.admit('read', asked)).isRefusal) end();
        };
        return scheduler.every(ASKED_AGAIN_MS, () => void again().catch(end));
      },
    };
  };
}

/** Who has come to the console, and what he may at all: nobody is refused anything by it, and nobody hears of it, but of wrong logins. */
export function comersFor(access: Access) {
  return async (req: Request) => {
    const asked = new AskedOverHttp(req, { isScoped: true, example: `${req.method} ${pathOf(req)}` });
    const read = await access.wouldSay('read', asked);
    const [operate, self] = [await access.permitFor('operate', asked), await access.permitFor('self', asked)];
    return {
      ...(self?.user !== undefined && { user: self.user }),
      mayRead: !read.isRefusal,
      mayOperate: operate !== undefined,
      isAdmin: self?.isAdmin ?? false,
      ...(read.isRefusal && { reason: read.text }),
    };
  };
}

function hears(permit: Permit) {
  return ({ service }: { readonly service?: ServiceName }) => permit.stillCovers({ kind: 'naming', ...service });
}

/** Who may act on what belongs to others: asked what a route needs, and then, by the permit, of each service that is touched. */
export function operatorsFor(access: Access, { wallClock }: Pick<ListenersRoom, 'wallClock'>) {
  return {
    admit: (need: Need, req: Request) =>
      access.admit(need, new AskedOverHttp(req, { isScoped: true, example: `${req.method} ${pathOf(req)}` })),
    refuse: (req: Request, res: Response, refusal: Refusal) => answerRefusal(req, res, refusal, wallClock()),
  };
}

interface ListenersRoom {
  readonly scheduler: Pick<Scheduler, 'every'>;
  readonly wallClock: () => number;
}

/**
 * Whether somebody may hear of more than that the bridge is ready: how much there is of everything, who was refused, what has failed. Who
 * may read it all may, where health is open to him. Nobody is refused that, and so nobody hears of it, but of wrong logins.
 */
export function mayHear(access: Access) {
  return (req: Request) => {
    const asked = new AskedOverHttp(req, { example: `${req.method} ${pathOf(req)}` });
    const mayRead = access.wouldAdmit('read', asked);
    const mayAsk = (may: boolean) => may && access.wouldAdmit('probe', asked);
    return mayRead instanceof Promise ? mayRead.then(mayAsk) : mayAsk(mayRead);
  };
}

/**
 * Of what has happened to which services somebody may hear who asks of health: of those that he may read. Nobody is refused anything by it.
 * Undefined where everybody may.
 */
export function hearersFor(access: Access, { auth, protectReads }: Pick<Openness, 'auth' | 'protectReads'>) {
  if (!auth && !protectReads) return undefined;
  return (req: Request) => {
    const asked = new AskedOverHttp(req, { isScoped: true, example: `${req.method} ${pathOf(req)}` });
    const permit = access.permitFor('read', asked);
    return permit instanceof Promise ? permit.then(coveredBy) : coveredBy(permit);
  };
}

function coveredBy(permit: Permit | undefined) {
  return (service: ServiceName) => permit?.covers({ kind: 'naming', ...service }) ?? false;
}

/** As the first, where no name is asked for: of all these paths those of reflection, which health itself does not look after. */
export function reflectedToVisitors(
  rpc: ReadonlyMap<string, Serve>,
  access: Access,
  wallClock: () => number,
): ReadonlyMap<string, Serve> {
  const guarded = (serve: Serve) => forVisitors(access, wallClock, serve);
  return new Map([...rpc].map(([path, serve]) => [path, path.startsWith('/grpc.reflection.') ? guarded(serve) : serve]));
}

function forVisitors(access: Access, wallClock: () => number, serve: Serve): Serve {
  return (req, res) => {
    const admission = access.admit('probe', new AskedOverHttp(req, { example: `${req.method} ${pathOf(req)}` }));
    const answered = (said: Admission) => (said.isRefusal ? answerRefusal(req, res, said, wallClock()) : serve(req, res));
    return admission instanceof Promise ? admission.then(answered) : answered(admission);
  };
}
