// The checksum of zip and gzip (polynomial 0xEDB88320, ISO 3309), four bytes per step: it guards against damage, not malice.
let tables: ReturnType<typeof makeTables> | undefined;

export function crc32(bytes: Uint8Array): number {
  tables ??= makeTables();
  const [t0, t1, t2, t3] = tables;
  const whole = bytes.length - (bytes.length % 4);
  let crc = 0xffffffff;
  let at = 0;
  for (; at < whole; at += 4) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    crc =
      (t3[crc & 0xff] as number) ^
      (t2[(crc >>> 8) & 0xff] as number) ^
      (t1[(crc >>> 16) & 0xff] as number) ^
      (t0[crc >>> 24] as number);
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ (t0[(crc ^ (bytes[at] as number)) & 0xff] as number);
  return ~crc >>> 0;
}

/** Table k is the effect of a byte that k more bytes follow. */
function makeTables(): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const [t0, t1, t2, t3] = [
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
  ];
  const afterZero = (crc: number) => (crc >>> 8) ^ (t0[crc & 0xff] as number);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xedb88320;
    t0[byte] = crc;
  }
  for (let byte = 0; byte < 256; byte++) {
    t1[byte] = afterZero(t0[byte] as number);
    t2[byte] = afterZero(t1[byte] as number);
    t3[byte] = afterZero(t2[byte] as number);
  }
  return [t0, t1, t2, t3];
}
