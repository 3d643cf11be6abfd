/** What a client is, by how it calls itself. It decides over wording and over datagrams, never over rights. */

/** Also npm's client, which calls itself `Nacos-Java-Client:v1.0.0`. */
export function isJavaClient(agent: string): boolean {
  if (!agent.startsWith(JAVA)) return false;
  // From version 1 on: a digit that is none of 0, before anything else. Read so, as it is asked for each list.
  let at = JAVA.length;
  while (agent.charCodeAt(at) === ZERO) at++;
  const digit = agent.charCodeAt(at) - ZERO;
  return digit > 0 && digit < 10;
}

const JAVA = 'Nacos-Java-Client:v';
const ZERO = 0x30;

/** The client of nacos-sdk-go. */
export function isGoClient(agent: string): boolean {
  return agent.startsWith('Nacos-Go-Client');
}

/** How large a message may be that the client takes over gRPC, in bytes: a larger one breaks the call, or its whole connection. */
export function takesBytes(agent: string): number {
  if (agent.startsWith('Nacos-Python-Client')) return 100 << 20;
  // tonic's own figure.
  return agent.startsWith('Nacos-Rust-Client') ? 4 << 20 : 10 << 20;
}

/** From which version on the clients of a language listen for datagrams: the operators' switches of these names. */
export interface LeastVersions {
  readonly pushJavaVersion: string;
  readonly pushGoVersion: string;
  readonly pushCVersion: string;
  readonly pushPythonVersion: string;
  readonly pushCSharpVersion: string;
}

const LANGUAGES: readonly (readonly [prefix: string, least: keyof LeastVersions])[] = [
  ['Nacos-Java-Client', 'pushJavaVersion'],
  ['Nacos-Go-Client', 'pushGoVersion'],
  ['Nacos-C-Client', 'pushCVersion'],
  ['vip-client4cpp', 'pushCVersion'],
  ['Nacos-DNS', 'pushPythonVersion'],
  ['Nacos-CSharp-Client', 'pushCSharpVersion'],
];

/** Whether the client that calls itself so listens for datagrams. */
export function canBePushed(agent: string, least: LeastVersions): boolean {
  const language = LANGUAGES.find(([prefix]) => agent.startsWith(prefix))?.[1];
  const version = /:v(\d+(?:\.\d+)*)/.exec(agent)?.[1];
  return language !== undefined && version !== undefined && !isOlder(version, least[language]);
}

function isOlder(version: string, than: string): boolean {
  const numbers = version.split('.').map(Number);
  for (const [i, least] of than.split('.').map(Number).entries()) {
    const difference = (numbers[i] ?? 0) - least;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
