/**
 * The Huffman code of HPACK, decoding only: what this server sends is short or constant, and gains nothing by it.
 *
 * Eight bits a step. A state is an inner node of the code's tree, where the last byte ended; there are 256 of them. The table has an
 * entry for each state and next byte: the next state, and the one or two symbols that became whole on the way (the shortest code has
 * five bits). It is built at the start, in a few milliseconds, from the lengths of the codes.
 */

/** How long the code of each byte is, and of EOS after them, in base 36; RFC 7541 appendix B. The code is canonical: lengths make it. */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f56565666577666567655677777fb' +
  'edskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu';

const EOS = 256;
const STATES = 256;

/** An entry: the next state in the low byte, then the number of symbols, then the symbols. */
const COUNT_SHIFT = 8;
const FIRST_SHIFT = 10;
const SECOND_SHIFT = 18;
/** EOS must not appear in a string (section 5.2). No entry of a sound step has this bit. */
const FAILED = 1 << 26;

/** Children of inner node `n` at `2n` and `2n + 1`: another inner node, or ~symbol. */
function createTree(): Int16Array {
  const lengths = [...LENGTHS].map((digit) => Number.parseInt(digit, 36));
  const symbols = [...lengths.keys()].sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const tree = new Int16Array(2 * STATES);
  let nodes = 1;
  let code = 0;
  let length = 0;
  for (const symbol of symbols) {
    const own = lengths[symbol] ?? 0;
    code *= 2 ** (own - length);
    length = own;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const at = 2 * node + (Math.floor(code / 2 ** bit) & 1);
      if (tree[at] === 0) tree[at] = nodes++;
      node = tree[at] ?? 0;
    }
    tree[2 * node + (code & 1)] = ~symbol;
    code++;
  }
  return tree;
}

const TREE = createTree();

function createSteps(): Uint32Array {
  const steps = new Uint32Array(STATES * 256);
  for (let start = 0; start < STATES; start++) {
    for (let byte = 0; byte < 256; byte++) {
      let node = start;
      let symbols = 0;
      let step = 0;
      for (let bit = 7; bit >= 0; bit--) {
        const next = TREE[2 * node + ((byte >> bit) & 1)] ?? 0;
        node = Math.max(next, 0);
        if (next >= 0) continue;
        step |= ~next === EOS ? FAILED : ~next << (symbols === 0 ? FIRST_SHIFT : SECOND_SHIFT);
        symbols++;
      }
      steps[start * 256 + byte] = step | (symbols << COUNT_SHIFT) | node;
    }
  }
  return steps;
}

const STEPS = createSteps();

/** The states in which a string may end: between two symbols, or after up to seven ones, the beginning of EOS (section 5.2). */
function createEnds(): Uint8Array {
  const ends = new Uint8Array(STATES);
  let node = 0;
  for (let ones = 0; ones <= 7; ones++) {
    ends[node] = 1;
    node = TREE[2 * node + 1] ?? 0;
  }
  return ends;
}

const ENDS = createEnds();

/** Decodes into `target`, which has room for two bytes for each of the input; answers how many there are, or -1 for what is no code. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let state = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const step = STEPS[(state << 8) | (bytes[at] ?? 0)] ?? FAILED;
    if (step >= FAILED) return -1;
    state = step & 0xff;
    const symbols = (step >> COUNT_SHIFT) & 3;
    if (symbols > 0) {
      target[length++] = (step >> FIRST_SHIFT) & 0xff;
      if (symbols > 1) target[length++] = (step >> SECOND_SHIFT) & 0xff;
    }
  }
  return ENDS[state] === 1 ? length : -1;
}
