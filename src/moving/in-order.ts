/** The answers to each of the items, in their order, with so many asked for ahead: what nobody has read yet is bounded. */
export async function* inOrder<T, R>(items: Iterable<T>, most: number, ask: (item: T) => Promise<R>): AsyncGenerator<R> {
  const asked: Promise<R>[] = [];
  for (const item of items) {
    const answer = ask(item);
    // Whoever awaits it hears of it; until then it is nobody's.
    answer.catch(() => {});
    asked.push(answer);
    const [first] = asked;
    if (asked.length < most || first === undefined) continue;
    asked.shift();
    yield await first;
  }
  for (const answer of asked) yield await answer;
}
