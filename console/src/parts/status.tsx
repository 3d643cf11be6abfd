import { kindWords } from '../causes.ts';

/** How a status or a condition looks: `bad` is for what is wrong alone. */
const LOOKS: Readonly<Record<string, 'good' | 'bad' | 'warn' | 'off'>> = {
  SERVING: 'good',
  NOT_SERVING: 'bad',
  SERVICE_UNKNOWN: 'off',
  available: 'good',
  'not-available': 'bad',
  healthy: 'good',
  unhealthy: 'bad',
  enabled: 'good',
  disabled: 'off',
  gone: 'off',
  serving: 'good',
  'not-serving': 'bad',
};
const SHAPES = { good: '●', bad: '▲', warn: '◆', off: '○' } as const;

interface Props {
  /** A status of health, or a condition: `SERVING`, `unhealthy`, `disabled` … */
  readonly is: string;
  /** Other words than those of the status. */
  readonly says?: string;
  readonly look?: keyof typeof SHAPES;
}

/** A status by shape, word and colour: `<Status is={row.status} />`. */
export function Status({ is, says = kindWords(is), look = LOOKS[is] ?? 'off' }: Props) {
  return (
    <span class={`status ${look}`}>
      <span aria-hidden="true">{SHAPES[look]}</span> {says}
    </span>
  );
}
