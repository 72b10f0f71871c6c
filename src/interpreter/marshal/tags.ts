// The type codes of CPython's marshal format that plain data needs (CPython Python/marshal.c, version 4), and the depth that
// both directions keep to. The format is little-endian throughout.

export const tag = {
  NULL: 0x30, // '0', ends a dict
  NONE: 0x4e, // 'N'
  FALSE: 0x46, // 'F'
  TRUE: 0x54, // 'T'
  ELLIPSIS: 0x2e, // '.'
  STOP_ITERATION: 0x53, // 'S', the class
  INT: 0x69, // 'i', 32 bits
  LONG: 0x6c, // 'l', 15-bit digits
  FLOAT: 0x67, // 'g'
  COMPLEX: 0x79, // 'y'
  CODE: 0x63, // 'c', which is refused
  BYTES: 0x73, // 's'
  UNICODE: 0x75, // 'u', UTF-8 in which surrogates may stand
  INTERNED: 0x74, // 't', the same
  ASCII: 0x61, // 'a'
  ASCII_INTERNED: 0x41, // 'A'
  SHORT_ASCII: 0x7a, // 'z', one byte of length
  SHORT_ASCII_INTERNED: 0x5a, // 'Z'
  LIST: 0x5b, // '['
  TUPLE: 0x28, // '('
  SMALL_TUPLE: 0x29, // ')', one byte of length
  DICT: 0x7b, // '{'
  SET: 0x3c, // '<'
  FROZENSET: 0x3e, // '>'
  REF: 0x72, // 'r'
} as const;

/** Set in a type code: the value gets the next reference number. */
export const flagRef = 0x80;

/** What CPython gives no reference number, flagged or not. */
export const unnumbered: ReadonlySet<number> = new Set([
  tag.NONE,
  tag.TRUE,
  tag.FALSE,
  tag.ELLIPSIS,
  tag.STOP_ITERATION,
  tag.REF,
]);

/** Containers within containers. CPython's own reader and writer stop at 2000, or earlier on small stacks. */
export const maxDepth = 200;

/** Bits in one digit of a LONG. */
export const digitBits = 15;
