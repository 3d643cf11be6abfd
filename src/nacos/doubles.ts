/**
 * Writing JSON as Nacos does. What is a double or a float in Java has a point in it there even where it is whole, and clients with types
 * of their own count on it: nacos-sdk-cpp refuses every list in which a weight is `1`. JavaScript knows one kind of number, so that the
 * name of a field decides.
 */

/** As JSON, with each number of a field in the table as Java writes it. What stands in a text is never touched. */
export function writeJson(value: object | number | boolean | null): string {
  return JSON.stringify(value).replace(FIELD, (_, start: string, name: string, number: string) => {
    const write = DOUBLES[name];
    return start + (write === undefined ? number : write(Number(number)));
  });
}

/** The fields that are no integers in Nacos, in the answers of any version, and how Java writes each. */
export const DOUBLES: Readonly<Record<string, (value: number) => string>> = {
  weight: javaDouble,
  protectThreshold: javaFloat,
  distroThreshold: javaFloat,
  factor: javaFloat,
  threshold: javaFloat,
  cpu: javaFloat,
  load: javaFloat,
  mem: javaFloat,
  // Nacos writes the integer where nothing has been sent.
  ratio: (value) => (value === 0 ? '0' : javaFloat(value)),
};

/**
 * Such a field with its number. A quote within a text is escaped, so that none follows a brace or a comma there: this is the beginning
 * of a field and nothing else, whatever callers have written.
 */
const FIELD = new RegExp(`([{,]"(${Object.keys(DOUBLES).join('|')})":)(-?\\d[\\d.e+-]*)`, 'g');

/** As `Double.toString`: digits on both sides of the point; with an exponent from ten millions on and below a thousandth. */
export function javaDouble(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-3 && size < 1e7)) return pointed(String(value));
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${pointed(digits)}E${Number(exponent)}`;
}

/** As `Float.toString`: only as many digits as it takes to tell the value from other floats. */
export function javaFloat(value: number): string {
  const float = Math.fround(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return javaDouble(short);
  }
  return javaDouble(Number(float.toPrecision(9)));
}

function pointed(digits: string): string {
  return digits.includes('.') ? digits : `${digits}.0`;
}
