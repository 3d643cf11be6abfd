/** Whose completion there is. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];
/** What may be asked for while somebody types. */
export const SERVICES = 'services';
