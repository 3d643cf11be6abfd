/** A field of JSON with its number, as it is written. */
export interface WrittenNumber {
  readonly name: string;
  readonly text: string;
}

/** Every number in the JSON that stands in a field of its own, with the text that stands for it. */
export function numbersIn(json: string): readonly WrittenNumber[] {
  const found: WrittenNumber[] = [];
  // A text that is followed by a colon is a name; one token at a time, so that nothing within a text counts.
  let name: string | undefined;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"\s*:?|-?\d[\d.eE+-]*|[[\]{},]|true|false|null/g)) {
    if (token.endsWith(':')) name = JSON.parse(token.slice(0, -1));
    else {
      if (/^[-\d]/.test(token) && name !== undefined) found.push({ name, text: token });
      name = undefined;
    }
  }
  return found;
}

/** The fields of these names whose number has no point in it. */
export function withoutPoint(json: string, names: readonly string[]): readonly WrittenNumber[] {
  return numbersIn(json).filter(({ name, text }) => names.includes(name) && !text.includes('.'));
}
