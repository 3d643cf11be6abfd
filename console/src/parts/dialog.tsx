import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { words } from '../words.ts';

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
      {children}
    </dialog>
  );
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
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const said = [...new FormData(event.currentTarget)].map(([name, value]) => [name, String(value)] as const);
    if (await onYes(Object.fromEntries(said))) onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form class="form" onSubmit={submit}>
        {children}
        <div class="actions">
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <button type="submit" class={isDangerous ? 'danger' : 'primary'}>
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
}

/** A labelled field of a form. */
export function Field({ label, name, kind = 'text', value = '', note, isRequired }: FieldProps) {
  const id = useId();
  const common = { id, name, required: isRequired };
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
