// A test of one's own, with a beatbridge in it whose time it moves: fifteen seconds of silence take some milliseconds.
import { createServer, createTestClock, type EventView } from 'beatbridge';
import { expect, it } from 'vitest';

it('orders is out of service fifteen seconds after its last beat, and says so', async () => {
  const clock = createTestClock();
  // Port 0 is any that is free.
  await using server = await createServer({ host: '127.0.0.1', port: 0, grpcPort: 0, healthPort: 0, clock });
  const events: EventView[] = [];
  server.on('event', (event) => events.push(event));

  await server.registry.register('orders', { ip: '10.0.0.1', port: 8080 });
  expect(server.health.check('orders')).toBe('SERVING');

  await clock.advance(15_100);
  expect(server.health.check('orders')).toBe('NOT_SERVING');
  expect(events.at(-1)).toMatchObject({ service: 'orders', cause: 'silent', to: 'not-serving' });

  // What a load balancer is told.
  const asked = await fetch(`http://${server.listeners.health}/health/orders`);
  expect(asked.status).toBe(503);

  server.registry.beat('orders', { ip: '10.0.0.1', port: 8080 });
  expect(server.health.check('orders')).toBe('SERVING');
});
