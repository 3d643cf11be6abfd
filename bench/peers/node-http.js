/**
 * Answers of Node's HTTP/1.1 that are there before anybody asks, by path: nothing on this platform that has to find out what it says
 * can be quicker. A body is read to its end, as it would have to be.
 */
import { createServer } from 'node:http';
import { listening } from './obey.js';

const answers = new Map();
for (const [path, text] of Object.entries(JSON.parse(process.argv[2]))) {
  const body = Buffer.from(text);
  const type = text.startsWith('{') ? 'application/json' : 'text/plain';
  answers.set(path, { body, headers: { 'Content-Type': type, 'Content-Length': body.length } });
}

const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  const { url, headers } = request;
  const query = url.indexOf('?');
  const answer = answers.get(query < 0 ? url : url.slice(0, query));
  const end = () => {
    response.writeHead(200, answer.headers);
    response.end(answer.body);
  };
  if ((headers['content-length'] ?? '0') === '0') return end();
  request.on('data', () => {});
  request.on('end', end);
});
server.listen(0, '127.0.0.1', () => listening({ http: server.address().port }));
