import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Free a moment ago: for a server that has to come back where it was. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const holders = await Promise.all(
    Array.from({ length: count }, async () => {
      const holder = createServer().listen(0, '127.0.0.1');
      await once(holder, 'listening');
      return holder;
    }),
  );
  return Promise.all(
    holders.map(async (holder) => {
      // A TCP server that listens has a port.
      const { port } = holder.address() as AddressInfo;
      holder.close();
      await once(holder, 'close');
      return port;
    }),
  );
}

/** Arguments for a server that is started again where it was, on loopback; it checks nobody, for nobody is where tests register. */
export async function fixedPorts(): Promise<readonly string[]> {
  const [main, grpc, health] = await freePorts(3);
  const ports = ['--port', `${main}`, '--grpc-port', `${grpc}`, '--health-port', `${health}`];
  return ['--host', '127.0.0.1', ...ports, '--probes', 'false', '--drain-delay', '0'];
}
