import { levelOf } from '../causes.ts';
import type { EventRecord } from '../record.ts';
import { listed } from './address.ts';

export const KINDS = ['instance', 'service', 'registry', 'bridge'] as const;

/**
 * Which records a webhook is told: of the causes and the kinds that are named. Where none are, what an operator is to hear of unasked: each
 * change of a service's status, what happened to very many, and what the bridge itself warns of.
 */
export function choiceOf(causes: string, kinds: string): (record: EventRecord) => boolean {
  const [ofCauses, ofKinds] = [new Set(listed(causes)), new Set(listed(kinds))];
  if (ofCauses.size === 0 && ofKinds.size === 0) return isNews;
  return ({ cause, kind }) => (ofCauses.size === 0 || ofCauses.has(cause)) && (ofKinds.size === 0 || ofKinds.has(kind));
}

function isNews(record: EventRecord): boolean {
  switch (record.kind) {
    case 'instance':
      return false;
    case 'service':
      return record.to !== undefined && record.from !== record.to;
    case 'registry':
      return true;
    case 'bridge':
      return levelOf(record) === 'warn' || levelOf(record) === 'error';
  }
}
