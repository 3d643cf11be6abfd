import type { Logger } from 'pino';
import { CANCELED, type MethodCounts } from '../wire/call-counts.ts';
import type { FrameStream, Reply, StreamListener, Trailers } from '../wire/lanes.ts';
import type { OpenAnswers } from '../wire/open-answers.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';
import { ENDS, FRAMES, type GrpcAnswers, unavailable } from './lane-answers.ts';
import type { HealthName } from './names.ts';
import type { Reader, Watch, Watches } from './watch.ts';

/**
 * The watches of the lane, each a stream to write frames to. Whoever is woken is written to once the event loop has come round: several
 * changes are one then, and what goes over one connection leaves it together.
 */
export class LaneWatches {
  readonly #watches: Watches;
  readonly #openAnswers: OpenAnswers;
  readonly #scheduler: Scheduler;
  readonly #log: Logger;
  readonly #counts: MethodCounts;
  readonly #now: () => number;
  readonly #open = new Set<LaneWatch>();
  /** Woken, and not written to yet; from `#next` on. */
  #woken: LaneWatch[] = [];
  #next = 0;

  constructor({ watches, openAnswers, scheduler, shutdown, log, counts, now }: LaneWatchesOptions) {
    this.#watches = watches;
    this.#openAnswers = openAnswers;
    this.#scheduler = scheduler;
    this.#log = log;
    this.#counts = counts;
    this.#now = now;
    shutdown.addEventListener('abort', () => {
      const trailers = unavailable(messageOf(shutdown.reason));
      for (const watch of this.#open) watch.end(trailers);
    });
  }

  /** Answers the request: the status now, and each change of it. */
  open(name: HealthName, answers: GrpcAnswers, withinMs: number, reply: Reply): void {
    const reading = new LaneWatch(this, this.#now());
    this.#counts.started++;
    const watch = this.#watches.open(name, reply.peer(), reading);
    if (watch === undefined) {
      reply.send(answers.tooManyWatches);
      this.#counts.ended(Number(answers.tooManyWatches.trailers?.['grpc-status']), 0);
      return;
    }
    this.#open.add(reading);
    this.#openAnswers.begin();
    reading.begin(watch, reply.stream(answers.head, reading));
    if (withinMs < Number.POSITIVE_INFINITY)
      reading.limit(this.#scheduler.after(Math.min(withinMs, MAX_TIMER_MS), () => reading.end(ENDS.deadlineExceeded)));
  }

  /** For the watch alone: there may be something to write. */
  woke(watch: LaneWatch): void {
    if (this.#woken.push(watch) === 1) this.#scheduler.soon(this.#tell);
  }

  /** For the watch alone: its stream is gone. */
  ended(watch: LaneWatch): void {
    this.#open.delete(watch);
    this.#openAnswers.end();
    this.#counts.ended(watch.code, this.#now() - watch.began);
  }

  /** For the watch alone: its status could not be read. */
  failed(err: unknown): void {
    this.#log.error({ err, method: 'Watch' }, 'call failed');
  }

  readonly #tell = () => {
    const end = Math.min(this.#next + TOLD_IN_A_ROUND, this.#woken.length);
    for (let watch = this.#woken[this.#next]; watch !== undefined && this.#next < end; watch = this.#woken[this.#next]) {
      this.#next++;
      watch.tell();
    }
    if (this.#next < this.#woken.length) {
      this.#scheduler.soon(this.#tell);
    } else {
      this.#woken = [];
      this.#next = 0;
    }
  };
}

export interface LaneWatchesOptions {
  readonly watches: Watches;
  readonly openAnswers: OpenAnswers;
  readonly scheduler: Scheduler;
  /** Aborted when all are to end; its reason is an error that says so. */
  readonly shutdown: AbortSignal;
  readonly log: Logger;
  /** Where they are counted. */
  readonly counts: MethodCounts;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Then everybody else has a turn. */
const TOLD_IN_A_ROUND = 1_000;

/** 24 days: what a timer cannot hold, Node takes for a millisecond. */
const MAX_TIMER_MS = 2_147_483_000;

/** One of them: takes the status when it has been woken and there is room for its frame. */
class LaneWatch implements Reader, StreamListener {
  readonly #room: LaneWatches;
  #watch: Watch | undefined;
  #out: FrameStream | undefined;
  #cancel: Cancel | undefined;
  #isBlocked = false;
  #isWoken = false;
  #isEnding = false;
  readonly began: number;
  /** With which it ends, as far as is known: who goes without a word has lost interest. */
  code = CANCELED;

  constructor(room: LaneWatches, began: number) {
    this.#room = room;
    this.began = began;
  }

  begin(watch: Watch, out: FrameStream): void {
    this.#watch = watch;
    this.#out = out;
    this.tell();
  }

  /** `cancel` when it ends. */
  limit(cancel: Cancel): void {
    this.#cancel = cancel;
  }

  wake(): void {
    if (this.#isWoken || this.#isBlocked) return;
    this.#isWoken = true;
    this.#room.woke(this);
  }

  tell(): void {
    this.#isWoken = false;
    if (this.#isBlocked || this.#isEnding) return;
    try {
      const status = this.#watch?.take();
      if (status === undefined) return;
      if (this.#out?.write(FRAMES[status]) === true) {
        this.#watch?.sent();
      } else {
        this.#isBlocked = true;
        this.#watch?.putBack();
      }
    } catch (err) {
      this.#room.failed(err);
      this.end(ENDS.internal);
    }
  }

  writable(): void {
    this.#isBlocked = false;
    this.tell();
  }

  giveWay(): void {
    this.end(ENDS.gaveWay);
  }

  end(trailers: Trailers): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.code = Number(trailers['grpc-status']);
    this.#cancel?.();
    this.#watch?.close();
    this.#out?.end(trailers);
  }

  closed(): void {
    this.#isEnding = true;
    this.#cancel?.();
    this.#watch?.close();
    this.#room.ended(this);
  }
}

function messageOf(reason: unknown): string {
  // Connect puts the name of the status before what its errors say.
  if (reason instanceof Error && 'rawMessage' in reason) return String(reason.rawMessage);
  return reason instanceof Error ? reason.message : '';
}
