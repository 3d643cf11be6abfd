/** On whose word. Each text is bounded by the surface that gives it. */
export interface Source {
  /** The address of the caller, as its connection says. */
  readonly peer?: string;
  /** What the caller calls itself. */
  readonly agent?: string;
  /** Who has logged in, by name. */
  readonly user?: string;
  /** The connection that holds, or held, the instance. */
  readonly connection?: string;
  /** Why: of `connection-ended`, and of an edit whose author has said it. */
  readonly reason?: string;
}
