/**
 * The encoder of one connection's header fields as clients of Go have it (RFC 7541): a field that the table holds is a number, any other
 * is inserted, and what does not fit any more leaves from its end.
 */
const MAX_SIZE = 4_096;
const OVERHEAD = 32;
/** Entries of the table that everybody has, of the names that are needed. */
const NAMES = { ':authority': 1, ':path': 4, 'content-type': 31, 'user-agent': 58 };
const STATIC = 61;
const INDEXED = 0x80;
const INSERTED = 0x40;
const HUFFMAN = 0x80;

export class HeaderTable {
  /** The latest first. */
  #entries = [];
  #size = 0;

  field([name, value]) {
    const held = this.#entries.findIndex((entry) => entry.name === name && entry.value === value);
    if (held >= 0) return integer(INDEXED, 7, STATIC + 1 + held);
    return this.#insert(name, value, text(value));
  }

  /** A field whose value is another one each time: digits and a unit, which Huffman's code makes shorter. */
  number(name, value) {
    return this.#insert(name, value, huffman(value));
  }

  #insert(name, value, written) {
    const held = this.#entries.findIndex((entry) => entry.name === name);
    const index = NAMES[name] ?? (held >= 0 ? STATIC + 1 + held : 0);
    const size = name.length + value.length + OVERHEAD;
    while (this.#size + size > MAX_SIZE) this.#size -= this.#entries.pop().size;
    this.#entries.unshift({ name, value, size });
    this.#size += size;
    return Buffer.concat([integer(INSERTED, 6, index), index === 0 ? text(name) : Buffer.alloc(0), written]);
  }
}

/** With so many bits of its first byte; none is as large as to need a third. */
function integer(pattern, bits, value) {
  const most = (1 << bits) - 1;
  return Buffer.from(value < most ? [pattern | value] : [pattern | most, value - most]);
}

function text(value) {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
}

const CODES = {
  0: '00000',
  1: '00001',
  2: '00010',
  3: '011001',
  4: '011010',
  5: '011011',
  6: '011100',
  7: '011101',
  8: '011110',
  9: '011111',
  u: '101101',
};

function huffman(value) {
  const bits = [...value].map((letter) => CODES[letter]).join('');
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  const bytes = padded.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2));
  return Buffer.from([HUFFMAN | bytes.length, ...bytes]);
}
