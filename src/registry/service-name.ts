/**
 * The name of a service: a namespace, a group in it, and the name itself. Written out it is `group@@name`; the namespace is never
 * part of the text, so that two namespaces cannot mix by accident. Which namespace and group are meant when none is said, the
 * surfaces decide.
 */
export interface ServiceName {
  readonly namespace: string;
  readonly group: string;
  readonly name: string;
}

const SEPARATOR = '@@';

/** `group@@name`: unique within a namespace, because a group never contains the separator. */
export function groupedName(service: Pick<ServiceName, 'group' | 'name'>): string {
  return service instanceof WrittenName ? service.grouped : `${service.group}${SEPARATOR}${service.name}`;
}

/** One that was written out, as most beats have it: nobody has to put it together again. Copies of its parts are names like any other. */
class WrittenName implements ServiceName {
  readonly namespace: string;
  readonly group: string;
  readonly name: string;
  readonly #grouped: string;

  constructor(namespace: string, group: string, name: string, grouped: string) {
    this.namespace = namespace;
    this.group = group;
    this.name = name;
    this.#grouped = grouped;
  }

  get grouped(): string {
    return this.#grouped;
  }
}

/** Unique over all namespaces; a namespace never contains `#`. For use as a map key, not for showing. */
export function serviceKey(service: ServiceName): string {
  return `${service.namespace}##${groupedName(service)}`;
}

/** Reads `name` or `group@@name`; only the first separator counts. Undefined when a part is empty. */
export function parseServiceName(text: string, namespace: string, defaultGroup: string): ServiceName | undefined {
  const at = text.indexOf(SEPARATOR);
  const group = at < 0 ? defaultGroup : text.slice(0, at);
  const name = at < 0 ? text : text.slice(at + SEPARATOR.length);
  if (group === '' || name === '') return undefined;
  return at < 0 ? { namespace, group, name } : new WrittenName(namespace, group, name, text);
}
