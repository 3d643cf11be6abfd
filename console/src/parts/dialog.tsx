import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { toasts } from '../toasts.ts';
import { words } from '../words.ts';
import { Banner } from './banner.tsx';

const t = words({ en: { close: 'Close', cancel: 'Cancel' }, 'zh-CN': { close: '关闭', cancel: '取消' } });

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** Open for as long as it is there; Esc closes it, and the focus is where it was: `{isOpen && <Dialog …>}`. */
export function Dialog({ title, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>('input, select, textarea')?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <div class="head">
        <h2 id={id}>{title}</h2>
        <button type="button" class="quiet" aria-label={t('close')} title={t('close')} onClick={onClose}>
          ✕
        </button>
      </div>
      <Refusals />
      {children}
    </dialog>
  );
}

/** What is said of a failure while the dialog is open: whatever stands beside it nobody reaches then. */
function Refusals() {
  const [before] = useState(toasts.peek());
  const last = toasts.value.filter((one) => one.level === 'error' && !before.includes(one)).at(-1);
  return last === undefined ? null : <Banner level="error">{last.text}</Banner>;
}

interface ConfirmProps extends Props {
  /** What the button says: the thing that is done, never "OK". */
  readonly yes: string;
  readonly isDangerous?: boolean;
  /** Given what the fields among the children say, by their names. The dialog stays open while it is under way, and after it if it is false. */
  readonly onYes: (fields: Readonly<Record<string, string>>) => Promise<boolean> | boolean;
}

/** Asks once before something is done: `<Confirm title yes={t('offline')} onYes={() => perform({ do: 'disable', … }, said)} onClose />`. */
export function Confirm({ title, onClose, children, yes, isDangerous, onYes }: ConfirmProps) {
  const [isUnderWay, setUnderWay] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isUnderWay || !(event.currentTarget instanceof HTMLFormElement)) return;
    const said = [...new FormData(event.currentTarget)].map(([name, value]) => [name, String(value)] as const);
    setUnderWay(true);
    if (await onYes(Object.fromEntries(said))) onClose();
    else setUnderWay(false);
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form class="form" onSubmit={submit}>
        {children}
        <div class="actions">
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <button type="submit" class={isDangerous ? 'danger' : 'primary'} disabled={isUnderWay}>
            {yes}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface FieldProps {
  readonly label: string;
  /** How `onYes` is given it. */
  readonly name: string;
  readonly kind?: 'text' | 'number' | 'password';
  readonly value?: string;
  readonly note?: string;
  readonly isRequired?: boolean;
  /** What a browser may fill in by itself. */
  readonly autoComplete?: 'username' | 'current-password';
}

/** A labelled field of a form. */
export function Field({ label, name, kind = 'text', value = '', note, isRequired, autoComplete }: FieldProps) {
  const id = useId();
  const common = { id, name, required: isRequired, autocomplete: autoComplete ?? 'off' };
  return (
    <div class="field">
      <label htmlFor={id}>{label}</label>
      {kind === 'password' ? (
        <input {...common} type="password" />
      ) : (
        <input {...common} inputMode={kind === 'number' ? 'decimal' : 'text'} defaultValue={value} />
      )}
      {note !== undefined && <small>{note}</small>}
    </div>
  );
}
