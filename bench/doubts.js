/** Why figures may not be what they look like. */

/** A server that had less to do than that was not the limit of what it answered in a second. */
const LOADED = 0.9;

/** @returns {string[]} */
export function doubtsAbout(results) {
  return [...disturbance(results), ...sparelyLoaded(results)];
}

/** On a quiet machine a server that is alone on its core waits for it hardly ever, and then for itself. */
function disturbance(results) {
  const samples = results.flatMap(({ subjects }) => Object.values(subjects).flatMap((outcome) => outcome.samples));
  const shares = samples.map(({ waitedShare }) => waitedShare).filter((share) => share !== undefined);
  if (shares.length === 0) return [];
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const waited = `${percent(mean)} on average, ${percent(Math.max(...shares))} at most`;
  return [`of the time that servers had work to do, they waited for their core: ${waited}`];
}

/** There requests per second are those that whoever loads it can make; what one costs holds. */
function sparelyLoaded(results) {
  const spare = results.flatMap(({ name, subjects }) =>
    Object.entries(subjects)
      .filter(([, { figures }]) => figures?.loadedShare < LOADED)
      .map(([subject, { figures }]) => `${name} ${subject} (${percent(figures.loadedShare)})`),
  );
  return spare.length === 0 ? [] : [`not loaded to the full, so that requests per second say little: ${spare.join(', ')}`];
}

function percent(share) {
  return `${(100 * share).toFixed(0)} %`;
}
