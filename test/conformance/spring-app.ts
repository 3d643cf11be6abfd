import { inject } from 'vitest';
import { Program } from './program.ts';

/** Applications of Spring Cloud Alibaba that have beatbridge for discovery and for configuration, and say by their actuator how they are. */

export interface Stack {
  /** The folder of the application built on it; undefined where it could not be built. */
  readonly path: string | undefined;
  readonly options: readonly string[];
  /** How often something is asked in what has come at once over a connection; at most so often, if that cannot be told. */
  readonly asked: (chunk: Buffer) => number;
}

const tools = inject('tools');

export const STACKS: Readonly<Record<string, Stack>> = {
  '2.2.5.RELEASE': {
    path: tools.springCloud22.path,
    // It looks for the texts of its own name by itself.
    options: [],
    asked: (chunk) => chunk.toString('latin1').match(/\b(?:GET|POST|PUT|DELETE) \/nacos\/\S* HTTP\/1/g)?.length ?? 0,
  },
  '2023.0.3.3': {
    path: tools.springCloud2023.path,
    options: ['--spring.config.import=nacos:greeter.properties'],
    asked: () => 1,
  },
};

export const NAME = 'greeter';

/** Where it finds Nacos: `HOST:PORT` each. */
export interface Addresses {
  readonly main: string;
  readonly grpc: string;
}

/** Its clients go on trying, and keep the process. */
const HAS_FAILED = /^Caused by: .*NacosException|APPLICATION FAILED TO START/;

export class App implements AsyncDisposable {
  readonly #program: Program;
  readonly address: string;

  private constructor(program: Program, address: string) {
    this.#program = program;
    this.address = address;
  }

  static async start(
    { path, options }: Stack,
    { main, grpc }: Addresses,
    folder: string,
    ...more: readonly string[]
  ): Promise<App> {
    const portOf = (address: string) => Number(new URL(`http://${address}`).port);
    const program = new Program('java', [
      '-XX:TieredStopAtLevel=1',
      '-XX:+UseSerialGC',
      '-Xmx256m',
      // What its clients keep, and their logs.
      `-Duser.home=${folder}`,
      `-DJM.SNAPSHOT.PATH=${folder}`,
      `-DJM.LOG.PATH=${folder}`,
      `-Dnacos.server.grpc.port.offset=${portOf(grpc) - portOf(main)}`,
      ...['-cp', `${path}/classes:${path}/lib/*`, 'SpringCloudApp'],
      `--spring.application.name=${NAME}`,
      `--spring.cloud.nacos.server-addr=${main}`,
      '--spring.cloud.nacos.discovery.ip=127.0.0.1',
      '--server.address=127.0.0.1',
      '--server.port=0',
      '--management.endpoint.health.show-details=always',
      ...options,
      ...more,
    ]);
    for (;;) {
      const line = await program.nextLine();
      if (line === undefined || HAS_FAILED.test(line)) {
        await program[Symbol.asyncDispose]();
        throw new Error(`an application has ended: ${program.lines.slice(-30).join('\n')}${program.log}`);
      }
      const port = line.match(/^ready on port (\d+)$/)?.[1];
      if (port !== undefined) return new App(program, `127.0.0.1:${port}`);
    }
  }

  get log(): string {
    return this.#program.lines.join('\n');
  }

  async health(): Promise<{ readonly status: string }> {
    const response = await fetch(`http://${this.address}/actuator/health`);
    // Spring writes it.
    return (await response.json()) as { readonly status: string };
  }

  async discover(service: string): Promise<unknown> {
    return (await fetch(`http://${this.address}/discover?service=${service}`)).json();
  }

  async greeting(): Promise<string> {
    return (await fetch(`http://${this.address}/setting?name=greeting`)).text();
  }

  stop(signal: NodeJS.Signals) {
    return this.#program.stop(signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}
