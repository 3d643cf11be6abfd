import type { ServiceName } from '../registry/service-name.ts';
import type { ClusterSaid, EditLine, InstanceSaid, NamespaceLine, ServiceSaid, SwitchLine, TextLine, TextName } from './lines.ts';

/**
 * A server at the other end, of whatever version, as reading and writing it for a move wants it. What is read is in no order. Each
 * rejects with `RefusedError` or `MovingError`.
 */
export interface Peer {
  /** `beatbridge`, or `Nacos 2.5.1`. */
  readonly name: string;
  /** Whether it knows edits, switches as ours, and every check there is here. */
  readonly isBeatbridge: boolean;

  /** Those that have a name, without the one that is always there. */
  namespaces(): Promise<readonly NamespaceLine[]>;
  /** Further ones in which there is something, as far as it tells. */
  usedNamespaces(): Promise<readonly string[]>;
  services(namespace: string): Promise<readonly ServiceName[]>;
  /** Undefined: it does not know the service. */
  service(name: ServiceName): Promise<FoundService | undefined>;
  /** Of one namespace, if it is given. */
  edits(namespace: string | undefined): Promise<readonly EditLine[]>;
  texts(namespace: string): Promise<readonly TextName[]>;
  /** Undefined: there is none. */
  text(namespace: string, name: TextName): Promise<TextLine | undefined>;
  switches(): Promise<readonly SwitchLine[]>;

  /** `isThere`: one of that id has a name already. */
  putNamespace(line: NamespaceLine, isThere: boolean): Promise<void>;
  /** Without its clusters. `isThere`: it is known already. */
  putService(name: ServiceName, said: ServiceSaid, isThere: boolean): Promise<void>;
  putCluster(name: ServiceName, cluster: string, said: ClusterSaid): Promise<void>;
  /** Without an edit over it. */
  putInstance(name: ServiceName, said: InstanceSaid): Promise<void>;
  putEdit(line: EditLine): Promise<void>;
  /** Of the instance at that place; there may be none. */
  endEdit(name: ServiceName, place: Pick<InstanceSaid, 'ip' | 'port'>): Promise<void>;
  putText(line: TextLine): Promise<void>;
  putSwitch(line: SwitchLine): Promise<void>;
}

export interface FoundService {
  /** Undefined: nobody has said anything of it, only its instances have made it known. */
  readonly said: ServiceSaid | undefined;
  readonly instances: readonly InstanceSaid[];
}

/** What is asked for at once of names, and of what is no longer than a name. */
export const PAGE = 500;
