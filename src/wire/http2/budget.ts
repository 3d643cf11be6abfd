import * as h2 from './codes.ts';
import type { Allowance, Http2Limits, RateLimits } from './limits.ts';

/** DATA frames that are shorter, and end nothing, are counted. */
const SMALL_FRAME_BYTES = 256;
const CONTROLS_PER_ANSWER = 8;

/** What one peer has used of what it may, in this second. Whatever goes beyond throws the error that ends its connection. */
export class Budget {
  /** Streams opened by the peer, and answers and DATA sent to it: what gives it reason to say something. Counted by whoever does it. */
  traffic = 0;
  #trafficBefore = 0;
  #streams = 0;
  #headerBytes = 0;
  #settings = 0;
  #pings = 0;
  #controls = 0;
  #smallFrames = 0;
  #emptyFrames = 0;
  #unknownFrames = 0;
  #resets = 0;
  #glitches = 0;
  readonly #rates: RateLimits;
  readonly #resetLimit: Allowance;
  readonly #glitchLimit: Allowance;

  constructor(limits: Http2Limits) {
    this.#rates = limits.perSecond;
    this.#resetLimit = limits.resets;
    this.#glitchLimit = limits.glitches;
  }

  /** A second has passed. */
  tick(): void {
    this.#trafficBefore = this.traffic;
    this.traffic = 0;
    this.#streams = 0;
    this.#headerBytes = 0;
    this.#settings = 0;
    this.#pings = 0;
    this.#controls = 0;
    this.#smallFrames = 0;
    this.#emptyFrames = 0;
    this.#unknownFrames = 0;
    this.#resets = Math.max(0, this.#resets - this.#resetLimit.perSecond);
    this.#glitches = Math.max(0, this.#glitches - this.#glitchLimit.perSecond);
  }

  header(bytes: number): void {
    this.#headerBytes += bytes;
    if (this.#headerBytes > this.#rates.headerBytes) h2.fail(h2.ENHANCE_YOUR_CALM, 'too many header bytes');
  }

  stream(): void {
    this.traffic++;
    if (++this.#streams > this.#rates.streams) h2.fail(h2.ENHANCE_YOUR_CALM, 'too many streams');
  }

  settings(): void {
    if (++this.#settings > this.#rates.settings) h2.fail(h2.ENHANCE_YOUR_CALM, 'too many settings');
  }

  ping(): void {
    if (++this.#pings > this.#rates.pings + this.#recentTraffic) h2.fail(h2.ENHANCE_YOUR_CALM, 'too many pings');
  }

  control(): void {
    if (++this.#controls > this.#rates.controls + CONTROLS_PER_ANSWER * this.#recentTraffic) {
      h2.fail(h2.ENHANCE_YOUR_CALM, 'too many control frames');
    }
  }

  /** DATA that do not end their stream, by their length without padding. */
  data(bytes: number): void {
    if (bytes >= SMALL_FRAME_BYTES) return;
    if (++this.#smallFrames > this.#rates.smallFrames) h2.fail(h2.ENHANCE_YOUR_CALM, 'too many small frames');
    if (bytes === 0 && ++this.#emptyFrames > this.#rates.emptyFrames) {
      h2.fail(h2.ENHANCE_YOUR_CALM, 'too many empty frames');
    }
  }

  unknownFrame(): void {
    if (++this.#unknownFrames > this.#rates.unknownFrames) h2.fail(h2.ENHANCE_YOUR_CALM, 'too many unknown frames');
  }

  /**
   * The peer gave up a request before its answer, or did something that makes us reset a stream: the work is ours either way
   * (CVE-2023-44487, CVE-2025-8671).
   */
  reset(): void {
    if (++this.#resets > this.#resetLimit.atOnce) h2.fail(h2.ENHANCE_YOUR_CALM, 'too many resets');
  }

  glitch(): void {
    if (++this.#glitches > this.#glitchLimit.atOnce) h2.fail(h2.ENHANCE_YOUR_CALM, 'too many errors');
  }

  get #recentTraffic(): number {
    return this.traffic + this.#trafficBefore;
  }
}
