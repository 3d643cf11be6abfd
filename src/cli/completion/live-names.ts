import { ClientError } from '../client/failures.ts';
import { realFiles } from '../client/files.ts';
import { jsonFrom } from '../client/http.ts';
import { isObject } from '../client/instance-place.ts';
import { type ConnectionFlags, targetOf } from '../client/target.ts';

/** Somebody waits at a prompt. */
const WITHIN = '700ms';

/**
 * The names of services at the server that the line means, a line each; nothing where it cannot be asked in time. Such a line is often
 * half of what it will be, so nothing is ever refused.
 */
export async function serviceNames(words: readonly string[], version: string): Promise<string> {
  try {
    const flags: ConnectionFlags = { ...flagsIn(words), connectTimeout: WITHIN, rpcTimeout: WITHIN };
    const target = targetOf(flags, process.env, realFiles, `beatbridge-cli/${version}`);
    const namespaceId = textOf(words, '--namespace');
    const query = { pageNo: 1, pageSize: MOST, groupName: '*', ...(namespaceId !== undefined && { namespaceId }) };
    const answer = await jsonFrom(target, { method: 'GET', path: '/nacos/v1/ns/service/list', query });
    if (!isObject(answer) || !Array.isArray(answer.doms)) return '';
    return answer.doms
      .map((name) => String(name).replace(/^DEFAULT_GROUP@@/, ''))
      .filter((name) => name !== '' && !/\p{Cc}/u.test(name))
      .map((name) => `${name}\n`)
      .join('');
  } catch (error) {
    if (error instanceof ClientError) return '';
    throw error;
  }
}

/** Among more, nobody chooses at a prompt. */
const MOST = 5_000;

/** What of the line says where the server is. */
function flagsIn(words: readonly string[]): Omit<ConnectionFlags, 'connectTimeout' | 'rpcTimeout'> {
  const given = {
    addr: textOf(words, '--addr'),
    tlsCaCert: textOf(words, '--tls-ca-cert'),
    tlsClientCert: textOf(words, '--tls-client-cert'),
    tlsClientKey: textOf(words, '--tls-client-key'),
    tlsServerName: textOf(words, '--tls-server-name'),
    tokenFile: textOf(words, '--token-file'),
    tls: words.includes('--tls') || undefined,
    tlsNoVerify: words.includes('--tls-no-verify') || undefined,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** The last that is said of the flag. */
function textOf(words: readonly string[], flag: string): string | undefined {
  const together = words.findLast((word) => word.startsWith(`${flag}=`));
  const at = words.lastIndexOf(flag, -2);
  return together?.slice(flag.length + 1) ?? (at < 0 ? undefined : words[at + 1]);
}
