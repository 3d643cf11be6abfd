/**
 * The Huffman code of HPACK, decoding only: what this server sends is short or constant, and gains nothing by it.
 *
 * Eight bits a step. A state is an inner node of the code's tree, where the last byte ended; there are 256 of them. The table has an
 * entry for each state and next byte: the next state, and the one or two symbols that became whole on the way (the shortest code has
 * five bits). It is built at the start, in a few milliseconds, from the lengths of the codes.
 */

/** How long the code of each byte is, and of EOS after them, in base 36; RFC 7541 appendix B. */
const LENGTHS = [
  ...('dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f56565666577666567655677777fb' +
    'edskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu'),
].map((digit) => Number.parseInt(digit, 36));

const EOS = 256;
const STATES = 256;

/** An entry: the next state in the low byte, then the number of symbols, then the symbols. */
const COUNT_SHIFT = 8;
const FIRST_SHIFT = 10;
const SECOND_SHIFT = 18;
/** EOS must not appear in a string (section 5.2). No entry of a sound step has this bit. */
const FAILED = 1 << 26;

/** Children of inner node `n` at `2n` and `2n + 1`: another inner node, or ~symbol. The code is canonical: lengths make it. */
function createTree(): Int16Array {
  const tree = new Int16Array(2 * STATES);
  const symbols = [...LENGTHS.keys()].sort((a, b) => (LENGTHS[a] ?? 0) - (LENGTHS[b] ?? 0) || a - b);
  let leaves = 0;
  let nodes = 0;
  const grow = (depth: number): number => {
    const symbol = symbols[leaves] ?? EOS;
    if (LENGTHS[symbol] === depth) {
      leaves++;
      return ~symbol;
    }
    const node = nodes++;
    tree[2 * node] = grow(depth + 1);
    tree[2 * node + 1] = grow(depth + 1);
    return node;
  };
  grow(0);
  return tree;
}

const TREE = createTree();

function createSteps(): Uint32Array {
  const steps = new Uint32Array(STATES * 256);
  for (let at = 0; at < steps.length; at++) {
    let node = at >> 8;
    let symbols = 0;
    let step = 0;
    for (let bit = 7; bit >= 0; bit--) {
      const next = TREE[2 * node + ((at >> bit) & 1)] ?? 0;
      node = Math.max(next, 0);
      if (next >= 0) continue;
      step |= ~next === EOS ? FAILED : ~next << (symbols === 0 ? FIRST_SHIFT : SECOND_SHIFT);
      symbols++;
    }
    steps[at] = step | (symbols << COUNT_SHIFT) | node;
  }
  return steps;
}

const STEPS = createSteps();

/** The states in which a string may end: between two symbols, or after up to seven ones, the beginning of EOS (section 5.2). */
const ENDS = new Set<number>();
for (let node = 0; ENDS.size < 8; node = TREE[2 * node + 1] ?? 0) ENDS.add(node);

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
  return ENDS.has(state) ? length : -1;
}
