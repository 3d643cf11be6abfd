import type { Serve } from '../../src/wire/exchange.ts';
import { createHttp2, type Http2 } from '../../src/wire/http2.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { LIMITS } from './limits.ts';

/** HTTP/2 for the connections that it is given, all served in the usual way. */
export function http2Serving(request: Serve): Http2 {
  const onBug = (error: unknown) => {
    throw error;
  };
  return createHttp2({ request }, LIMITS, { scheduler: systemScheduler, onBug });
}
