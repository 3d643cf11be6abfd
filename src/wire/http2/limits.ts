/**
 * The limits of a connection with their defaults, and the code in which it ends to go beyond; each is counted by its reason. Times are
 * in milliseconds: they are looked at once a second, and end up to a second later. The table of options says at length what each is for.
 */
export const HTTP2_LIMITS = {
  maxStreamsPerConnection: 1_000, // REFUSED_STREAM; those whose handler still works included
  maxHeaderBytes: 65_536, // answered 431; names, values and 32 for each field; twice as much, encoded or not: ENHANCE_YOUR_CALM
  maxHeaderFields: 200, // 431
  maxContinuations: 8, // ENHANCE_YOUR_CALM; of one header, or as many as a large one takes
  streamWindowBytes: 262_144, // FLOW_CONTROL_ERROR of the stream; more may come when its handler has taken them
  connectionWindowBytes: 1_048_576, // FLOW_CONTROL_ERROR; more may come when they have been read
  maxUnreadBytes: 16_777_216, // ENHANCE_YOUR_CALM of the stream; bodies of a connection that no handler has taken
  maxUnreadBytesInAll: 268_435_456, // the same of all connections
  maxUnsentBytes: 1_048_576, // nothing is read from a peer that has left so much unread; CANCEL for a handler that goes on beyond
  maxUnsentBytesInAll: 268_435_456, // ENHANCE_YOUR_CALM; of all peers together, and who has left most unread goes first
  headerTimeoutMs: 10_000, // closed before SETTINGS have come; PROTOCOL_ERROR in a header, or in any frame
  bodyTimeoutMs: 30_000, // CANCEL; from the beginning of the request, unless its handler lets it take longer
  stallTimeoutMs: 30_000, // CANCEL of an answer that the peer grants no window for, unless its handler gives it time; closed when it does not read
  idleTimeoutMs: 3_600_000, // NO_ERROR; without any stream
  pingIntervalMs: 10_000, // closed when two questions for a sign of life were not answered; asked up to a second sooner
  // These are for one connection and one second, and all end in ENHANCE_YOUR_CALM.
  maxStreamsPerSecond: 250_000,
  maxHeaderBytesPerSecond: 16_777_216,
  maxSettingsPerSecond: 50,
  maxPingsPerSecond: 100, // and one for each stream opened and each answer or DATA sent: gRPC clients measure their bandwidth
  maxControlFramesPerSecond: 200, // WINDOW_UPDATE, PRIORITY, and RST_STREAM for what has ended; and eight for each of those
  maxSmallFramesPerSecond: 5_000, // DATA of less than 256 bytes that end nothing; and one for each of those, as many clients send a message and its end apart
  maxEmptyFramesPerSecond: 50, // DATA of none that end nothing; the same
  maxUnknownFramesPerSecond: 100,
  maxResetsPerSecond: 50, // requests that the peer resets, or makes us reset, before they are answered; four times as many at once
  maxErrorsPerMinute: 100, // all that no sound peer does, and that would cost it nothing, so that the next flood is not free
};

export type Http2Limits = Readonly<typeof HTTP2_LIMITS>;
