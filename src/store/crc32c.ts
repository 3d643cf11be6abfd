/** CRC-32C (Castagnoli), as LevelDB puts it beside whatever it writes: masked, for sums of sums are poor sums. */
export function maskedCrc32c(bytes: Uint8Array, start: number, end: number): number {
  const crc = crc32c(bytes, start, end);
  return (((crc >>> 15) | (crc << 17)) + MASK) >>> 0;
}

const MASK = 0xa282ead8;
const POLYNOMIAL = 0x82f63b78;

/** Eight tables of 256: byte `i` of eight that are taken at once has table `7 - i`. */
const TABLES = new Uint32Array(8 * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  TABLES[byte] = crc;
}
for (let i = 256; i < TABLES.length; i++) {
  const before = at(i - 256);
  TABLES[i] = (before >>> 8) ^ at(before & 255);
}

function crc32c(bytes: Uint8Array, start: number, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let crc = 0xffffffff;
  let i = start;
  for (; i + 8 <= end; i += 8) {
    const low = crc ^ view.getUint32(i, true);
    const high = view.getUint32(i + 4, true);
    crc =
      at(1_792 + (low & 255)) ^
      at(1_536 + ((low >>> 8) & 255)) ^
      at(1_280 + ((low >>> 16) & 255)) ^
      at(1_024 + (low >>> 24)) ^
      at(768 + (high & 255)) ^
      at(512 + ((high >>> 8) & 255)) ^
      at(256 + ((high >>> 16) & 255)) ^
      at(high >>> 24);
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ at((crc ^ view.getUint8(i)) & 255);
  return (crc ^ 0xffffffff) >>> 0;
}

function at(index: number): number {
  return TABLES[index] ?? 0;
}
