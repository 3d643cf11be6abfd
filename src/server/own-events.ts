/** Notes what happened to the process itself. */
type Note<Cause extends string> = (
  cause: Cause,
  said: { readonly detail: Readonly<Record<string, string | number | boolean>> },
) => void;

/** Hears of the store's troubles, and notes them. */
export function storeNews(note: Note<'store-failing' | 'store-recovered'>) {
  return (reason: string | undefined, records: number): void => {
    if (reason === undefined) note('store-recovered', { detail: { records } });
    else note('store-failing', { detail: { reason: reason.slice(0, 200), records } });
  };
}
