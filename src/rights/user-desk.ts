/** Who changes users, roles and rules. */
export interface UserDesk {
  readonly hasAdmin: boolean;
  readonly names: () => readonly string[];
  readonly bindings: () => readonly { readonly role: string; readonly username: string }[];
  readonly rules: () => readonly (Rule & { readonly role: string })[];
  readonly newPassword: () => string;
  readonly prepared: (name: string, password: string, origin: string) => Promise<Prepared | Fault>;
  readonly create: (name: string, prepared: Prepared) => Fault | undefined;
  readonly createFirst: (name: string, prepared: Prepared) => Fault | undefined;
  readonly changePassword: (name: string, prepared: Prepared) => Fault | undefined;
  readonly drop: (name: string) => Fault | undefined;
  readonly grant: (role: string, name: string) => Fault | undefined;
  readonly revoke: (role: string, name?: string) => Fault | undefined;
  readonly permit: (role: string, rule: Rule) => Fault | undefined;
  readonly forbid: (role: string, rule: Rule) => Fault | undefined;
}

/** A permission of a role, as Nacos writes it. */
export interface Rule {
  readonly resource: string;
  readonly action: string;
}

/** A password that may be kept. */
export interface Prepared {
  readonly hash: string;
}

/** Why it was not done. The text carries what the caller said, which its surface has bounded. */
export interface Fault {
  readonly why: 'invalid' | 'exists' | 'unknown' | 'of-file' | 'last-admin' | 'too-many' | 'busy';
  readonly text: string;
}
