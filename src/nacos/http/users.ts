import type { Permit } from '../../rights/admission.ts';
import type { Fault, Prepared, UserDesk } from '../../rights/user-desk.ts';
import { kept } from '../durability.ts';
import { RequestError } from '../errors.ts';
import { NotPermitted } from '../gate.ts';
import { pageOf } from '../rules.ts';
import { optional, type Params, readPage, readVerbatim, required } from './params.ts';
import type { Asked, HttpRooms } from './route.ts';

/** Calls about users, roles and permissions, of versions 1 and 3; which of these a caller may make, the route says. No hash is ever told. */
export function userCalls(rooms: HttpRooms) {
  return { ...accountCalls(rooms), ...roleCalls(rooms), ...permissionCalls(rooms) };
}

function accountCalls(rooms: HttpRooms) {
  const { desk, durability } = rooms;
  return {
    createFirst: async (asked: Asked) => (await first(asked)) ?? { code: 409, message: null, data: HAVE_ADMIN },
    async createFirstV3(asked: Asked) {
      const data = await first(asked);
      if (data === undefined) return { code: 409, message: `${HAVE_ADMIN}.`, data: null };
      return { code: 0, message: 'success', data };
    },
    async create(asked: Asked) {
      const { params } = asked;
      const book = deskIn(desk);
      const name = required(params, 'username');
      const prepared = ready(await book.prepared(name, readVerbatim(params, 'password'), turnOf(asked)));
      done(await kept(durability, () => book.create(name, prepared)));
      return 'create user ok!';
    },
    async changePassword(asked: Asked) {
      const { params } = asked;
      const book = deskIn(desk);
      const name = required(params, 'username');
      ownOf(params.permit, name);
      const prepared = ready(await book.prepared(name, readVerbatim(params, 'newPassword'), turnOf(asked)));
      done(await kept(durability, () => book.changePassword(name, prepared)));
      return 'update user ok!';
    },
    drop: ({ params }: Asked) => acted(rooms, 'delete user ok!', (book) => book.drop(required(params, 'username'))),
    list({ params }: Asked) {
      const names = deskIn(desk).names().filter(matching(params, 'username'));
      return paged(
        names.map((username) => ({ username, password: '' })),
        params,
      );
    },
    search({ params }: Asked) {
      const part = optional(params, 'username') ?? '';
      return deskIn(desk)
        .names()
        .filter((name) => name.includes(part));
    },
  };

  /** Undefined when there is one already. Of several that ask at once, one becomes it. */
  async function first(asked: Asked): Promise<object | undefined> {
    const book = deskIn(desk);
    if (book.hasAdmin) return undefined;
    const { params } = asked;
    const password = params.get('password') || book.newPassword();
    const prepared = ready(await book.prepared(FIRST, password, turnOf(asked)));
    const fault = await kept(durability, () => book.createFirst(FIRST, prepared));
    if (fault?.why === 'exists') return undefined;
    done(fault);
    return { username: FIRST, password };
  }
}

function roleCalls(rooms: HttpRooms) {
  const { desk } = rooms;
  return {
    grant: ({ params }: Asked) =>
      acted(rooms, 'add role ok!', (book) => book.grant(required(params, 'role'), required(params, 'username'))),
    revoke({ params }: Asked) {
      const [role, name] = [required(params, 'role'), optional(params, 'username')];
      return acted(rooms, `delete role of user ${name ?? 'all'} ok!`, (book) => book.revoke(role, name));
    },
    roles({ params }: Asked) {
      const [ofRole, ofName] = [matching(params, 'role'), matching(params, 'username')];
      const found = deskIn(desk).bindings();
      return paged(
        found.filter(({ role, username }) => ofRole(role) && ofName(username)),
        params,
      );
    },
    searchRoles({ params }: Asked) {
      const part = optional(params, 'role') ?? '';
      const roles = new Set(
        deskIn(desk)
          .bindings()
          .map(({ role }) => role),
      );
      return [...roles].filter((role) => role.includes(part));
    },
  };
}

function permissionCalls(rooms: HttpRooms) {
  const { desk } = rooms;
  const page = ({ params }: Asked) => {
    const ofRole = matching(params, 'role');
    const found = deskIn(desk).rules();
    return paged(
      found.filter(({ role }) => ofRole(role)),
      params,
    );
  };
  return {
    permit: ({ params }: Asked) =>
      acted(rooms, 'add permission ok!', (book) => book.permit(required(params, 'role'), ruleIn(params))),
    forbid: ({ params }: Asked) =>
      acted(rooms, 'delete permission ok!', (book) => book.forbid(required(params, 'role'), ruleIn(params))),
    permissions(asked: Asked) {
      if (optional(asked.params, 'search') !== undefined) return page(asked);
      return { code: 0, message: 'success', data: isThere(deskIn(desk), asked.params) };
    },
    permissionsV3: page,
    isPermission: ({ params }: Asked) => isThere(deskIn(desk), params),
  };
}

function acted(
  { desk, durability }: HttpRooms,
  text: string,
  act: (book: UserDesk) => Fault | undefined,
): string | Promise<string> {
  const fault = kept(durability, () => act(deskIn(desk)));
  const answer = (found: Fault | undefined) => {
    done(found);
    return text;
  };
  return fault instanceof Promise ? fault.then(answer) : answer(fault);
}

/** Whoever has logged in has turns of his own, whatever others do from his address, or through his proxy. */
function turnOf({ params: { permit }, caller }: Asked): string {
  return permit?.user === undefined ? caller.ip : `user ${permit.user}`;
}

const HAVE_ADMIN = 'have admin user cannot use it';
/** As Nacos calls it. */
const FIRST = 'nacos';

function deskIn(desk: UserDesk | undefined): UserDesk {
  if (desk === undefined) throw new RequestError('refused', 'there are no users here');
  return desk;
}

/** One may change the own password, and an administrator any. */
function ownOf(permit: Permit | undefined, name: string): void {
  const refusal = permit?.refusalForUser(name);
  if (refusal !== undefined) throw new NotPermitted(refusal);
}

function ready(prepared: Prepared | Fault): Prepared {
  if ('why' in prepared) throw refused(prepared);
  return prepared;
}

function done(fault: Fault | undefined): void {
  if (fault !== undefined) throw refused(fault);
}

/** As Nacos's own exceptions are told. */
function refused({ why, text }: Fault): RequestError {
  return new RequestError(why === 'busy' || why === 'too-many' ? 'too-many' : 'invalid', `caused: ${text};`);
}

function ruleIn(params: Params) {
  return { resource: required(params, 'resource'), action: required(params, 'action') };
}

function isThere(desk: UserDesk, params: Params): boolean {
  const { resource, action } = ruleIn(params);
  const role = required(params, 'role');
  return desk.rules().some((rule) => rule.role === role && rule.resource === resource && rule.action === action);
}

/** With `search=blur` a `*` stands for anything, and else the name is meant to the letter; none at all is any. */
function matching(params: Params, name: string): (text: string) => boolean {
  const wanted = optional(params, name);
  if (wanted === undefined) return () => true;
  if (optional(params, 'search') !== 'blur') return (text) => text === wanted;
  const parts = wanted.split('*').filter((part) => part !== '');
  return (text) => parts.every((part) => text.includes(part));
}

function paged<T>(items: readonly T[], params: Params) {
  const { pageNo, pageSize } = readPage(params, { pageNo: 1, pageSize: 100 });
  const size = Math.max(1, pageSize);
  const pages = Math.max(1, Math.ceil(items.length / size));
  return {
    totalCount: items.length,
    pageNumber: Math.max(1, pageNo),
    pagesAvailable: pages,
    pageItems: pageOf(items, pageNo, size),
  };
}
