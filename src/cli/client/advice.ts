/** What to do next about an instance that fails, by why it does. `IP:PORT` stands for where one of them is, `UNTIL` for when it ends. */
const ADVICE: Readonly<Record<string, string>> = {
  silent:
    'its process does not beat: see whether it runs, hangs (garbage collection, a blocked loop) or cannot reach this server; it is healthy again with its next beat',
  removed: 'its process has not beaten for so long that it was removed: start it again, it registers by itself',
  'connection-ended':
    'the connection that held it has ended: see whether its process was stopped or killed, or what is in between cuts connections that are idle',
  deregistered: 'its process has said goodbye, as one does that is stopped: start it again',
  probe: 'its check fails: ask the instance itself from this machine, at the address and port that are checked',
  disabled: 'an operator has taken it out: if that is over, put it in again: beatbridge enable IP:PORT',
  'disabled by its client': 'its own client registers it with enabled=false: change that there',
  'weight-0': 'an operator has taken its share of the calls: if that is over, give it one: beatbridge weight IP:PORT 1',
  'weight-0 by its client': 'its own client registers it with a weight of 0: change that there',
  drained: 'it is back by itself at UNTIL; sooner with: beatbridge resume IP:PORT',
  'registered-unhealthy': 'it says so itself, or somebody has said so: its next beat heals it, or a call that says healthy=true',
  restored:
    'it is as it was before a restart of this server, and has not been heard of since: wait until it beats, or see whether it runs',
};

/** Undefined of a cause that is not known here. */
export function adviceFor(cause: string): string | undefined {
  return ADVICE[cause];
}
