/** What a client is, by how it calls itself. It decides over wording, never over rights. */

/** Also npm's client, which calls itself `Nacos-Java-Client:v1.0.0`. */
export function isJavaClient(agent: string): boolean {
  const version = /^Nacos-Java-Client:v(\d+)/.exec(agent)?.[1];
  return version !== undefined && Number(version) >= 1;
}
