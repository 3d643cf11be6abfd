/** Instances of a Nacos registry, by its HTTP of 1.x. */

/** As long as a run takes, and longer: whoever registers so need not beat. */
const METADATA = JSON.stringify({
  'preserved.heart.beat.interval': '1000000',
  'preserved.heart.beat.timeout': '2000000',
  'preserved.ip.delete.timeout': '3000000',
});
export const LASTING = `metadata=${encodeURIComponent(METADATA)}`;

export function hold(port, service, ip, instancePort) {
  return call(port, 'POST', `instance?serviceName=${service}&ip=${ip}&port=${instancePort}&${LASTING}`);
}

export function setEnabled(port, service, ip, instancePort, isEnabled) {
  return call(port, 'PUT', `instance?serviceName=${service}&ip=${ip}&port=${instancePort}&enabled=${isEnabled}`);
}

export function remove(port, service, ip, instancePort) {
  return call(port, 'DELETE', `instance?serviceName=${service}&ip=${ip}&port=${instancePort}`);
}

export async function call(port, method, path) {
  const answer = await fetch(`http://127.0.0.1:${port}/nacos/v1/ns/${path}`, { method });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 200)}`);
  return text;
}
