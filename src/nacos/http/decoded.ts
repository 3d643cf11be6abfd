/**
 * By way of the bytes in one pass: what is beyond ASCII stays as it is beside good escapes and bad ones, and a long text takes no
 * longer than its length, whatever is in it.
 */
export function decoded(text: string): string {
  if (!ANY_CODED.test(text)) return text;
  const bytes = Buffer.from(text);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    const escaped = byte === PERCENT ? hexOf(bytes[i + 1]) * 16 + hexOf(bytes[i + 2]) : -1;
    if (escaped >= 0) i += 2;
    bytes[length++] = escaped >= 0 ? escaped : byte === PLUS ? BLANK : byte;
  }
  return bytes.toString('utf8', 0, length);
}

const ANY_CODED = /[+%]|[^\0-\x7f]/;
const [PERCENT, PLUS, BLANK] = [0x25, 0x2b, 0x20];

/** Of the character of a digit; for what is none, less than any two digits could make up for. */
function hexOf(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1_000;
}
