/** Programs of Node's say where they listen, and do as they are told. */

/** @param {Record<string, number>} ports */
export function listening(ports) {
  process.stdout.write(`${JSON.stringify({ ports })}\n`);
}

/** @param {(isServing: boolean) => void} setServing */
export function obey(setServing) {
  process.on('message', (word) => {
    if (word !== 'up' && word !== 'down') return;
    setServing(word === 'up');
    process.send({});
  });
}
