import type { Registry } from '../registry/registry.ts';
import type { Certificate } from './certificate.ts';
import type { Door } from './door.ts';
import type { Part } from './readiness.ts';
import type { Sweeper } from './sweeper.ts';
import { lookAtLimits, type Users } from './usage.ts';

/** Whom `/readyz` asks. */
export interface PartsOf extends Users {
  readonly registry: Registry;
  readonly health: { readonly statusOf: (bridge: 'bridge') => string };
  /** Undefined: nothing is kept. */
  readonly keeping: { readonly trouble: string | undefined } | undefined;
  readonly door: Door;
  readonly probes: { readonly says: () => string };
  readonly sweeper: Sweeper;
  readonly certificate: Certificate | undefined;
  readonly webhooks: { readonly says: () => string | undefined };
}

/** What `/readyz` lists. The bridge itself is asked by the status that it tells of itself, so that the two never differ. */
export function partsOf(of: PartsOf): readonly Part[] {
  const { registry, health, keeping, door, probes, sweeper, certificate, webhooks } = of;
  const looks: Readonly<Record<string, Part['look']>> = {
    store() {
      if (keeping === undefined) return { ok: true, says: 'off, nothing is kept' };
      const { trouble } = keeping;
      return trouble === undefined ? { ok: true, says: 'ok' } : { ok: false, says: `failed: ${trouble}` };
    },
    registry() {
      const { serviceCount, instanceCount, records } = registry;
      const unheard = records.unheardCount === 0 ? '' : ` (${records.unheardCount} not heard of since a restart)`;
      return { ok: true, says: `${serviceCount} services, ${instanceCount} instances${unheard}` };
    },
    access: () => door.look(),
    probes: () => ({ ok: true, says: probes.says() }),
    limits: () => lookAtLimits(of),
    sweeper: () => ({ ok: !sweeper.isStalled, says: `${Math.round(sweeper.lateMs)} ms late` }),
    ...(webhooks.says() !== undefined && { webhooks: () => ({ ok: true, says: webhooks.says() ?? 'none' }) }),
    ...(certificate && { tls: () => certificate.look() }),
  };
  const isServing = () => health.statusOf('bridge') === 'serving';
  const look: Part['look'] = () => (isServing() ? { ok: true, says: 'none' } : { ok: false, says: 'under way' });
  return [
    ...Object.entries(looks).map(([name, look]) => ({ name, isNeeded: false, look })),
    { name: 'drain', isNeeded: true, look },
  ];
}
