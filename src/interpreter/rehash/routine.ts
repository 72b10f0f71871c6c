// The loops over a plan, as a small module that works on the guest's memory: it costs a fifth of a millisecond where JavaScript
// needs several, most of all when neither is warm yet. Assembled when an image is built and stored with it.
// Entry order never changes, so what refers to an entry by index (inline caches, ordered dicts) stays right.
import { assembleText } from "../wasm/format/assemble-text.ts";
import {
  chainEntry,
  chainTable,
  contentHash,
  emptySlot,
  generalEntry,
  generalKind,
  keys,
  object,
  perturbShift,
  set,
  setLinearProbes,
  unicodeEntry,
} from "./layout.ts";
import { noText } from "./plan.ts";

interface RoutineAddresses {
  /** _Py_HashSecret */
  readonly secret: number;
  readonly strType: number;
  readonly bytesType: number;
  /** What marks a deleted entry of a set. */
  readonly setDummy: number;
}

export interface RoutineExports {
  /**
   * Works through a portion of texts (plan.ts), which stands at this address. `hashes` has room for a word for each text; the first one
   * that is free afterwards is returned.
   */
  texts(portion: number, hashes: number): number;
  /** Likewise. `hashes` begins with that of no bytes at all, 0. */
  nameTables(portion: number, hashes: number): void;
  /** `scratch` has room for the largest table of a set. */
  program(program: number, scratch: number): void;
  hash(content: number, bytes: number): number;
  /** Rebuilds the dict keys object at `address`. */
  keys(address: number): void;
  set(address: number, scratch: number): void;
}

export function assembleRoutine(addresses: RoutineAddresses): Uint8Array {
  return assembleText(
    [
      hashText(addresses.secret),
      knownHashText(addresses),
      clearIndicesText,
      ...[8, 16, 32].map(keysText),
      anyKeysText,
      ...[8, 16].map(namesText),
      setText(addresses.setDummy),
      chainsText,
      textsText(addresses.secret),
      nameTablesText,
      programText,
    ].join("\n"),
  );
}

/** _PyHASH_MULTIPLIER */
const multiplier = 1_000_003;

const word = (words: number): string => `offset=${words * 4}`;

/** fnv() of Python/pyhash.c, which this build uses: a secret prefix and suffix, and at least one byte that is no block. */
const hashText = (secret: number): string => `
(func $hash (param $at i32) (param $bytes i32) (result i32) (local $x i32) (local $end i32) (local $blocks i32)
  (if (i32.eqz (local.get $bytes)) (then (return (i32.const 0))))
  (local.set $x (i32.xor (i32.load (i32.const ${secret}))
    (i32.shl (i32.load8_u (local.get $at)) (i32.const 7))))
  (local.set $end (i32.add (local.get $at) (local.get $bytes)))
  (local.set $blocks (i32.add (local.get $at)
    (i32.and (i32.sub (local.get $bytes) (i32.const 1)) (i32.const -4))))
  (block $last (loop $each
    (br_if $last (i32.eq (local.get $at) (local.get $blocks)))
    (local.set $x (i32.xor
      (i32.mul (local.get $x) (i32.const ${multiplier})) (i32.load (local.get $at))))
    (local.set $at (i32.add (local.get $at) (i32.const 4)))
    (br $each)))
  (loop $rest
    (local.set $x (i32.xor
      (i32.mul (local.get $x) (i32.const ${multiplier})) (i32.load8_u (local.get $at))))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (br_if $rest (i32.ne (local.get $at) (local.get $end))))
  (local.set $x (i32.xor (i32.xor (local.get $x) (local.get $bytes)) (i32.load (i32.const ${secret + 4}))))
  (select (i32.const -2) (local.get $x) (i32.eq (local.get $x) (i32.const -1))))`;

/** The hash of a key that keeps it itself, or else the one in its entry. */
const knownHashText = ({ strType, bytesType }: RoutineAddresses): string => `
(func $knownHash (param $key i32) (param $stored i32) (result i32) (local $type i32)
  (local.set $type (i32.load ${word(object.type)} (local.get $key)))
  (if (i32.or
      (i32.eq (local.get $type) (i32.const ${strType}))
      (i32.eq (local.get $type) (i32.const ${bytesType})))
    (then (return (i32.load ${word(contentHash)} (local.get $key)))))
  (local.get $stored))`;

/** Writes $index into the first free slot of $indices that the probes for $hash find (build_indices of Objects/dictobject.c). */
function place(bits: number): string {
  const shift = Math.log2(bits / 8);
  const load = bits === 32 ? "i32.load" : `i32.load${bits}_s`;
  const store = bits === 32 ? "i32.store" : `i32.store${bits}`;
  return `
      (local.set $slot (i32.and (local.get $hash) (local.get $mask)))
      (block $free (loop $probe
        (local.set $at (i32.add (local.get $indices) (i32.shl (local.get $slot) (i32.const ${shift}))))
        (br_if $free (i32.eq (${load} (local.get $at)) (i32.const ${emptySlot})))
        (local.set $hash (i32.shr_u (local.get $hash) (i32.const ${perturbShift})))
        (local.set $slot (i32.and (local.get $mask) (i32.add
          (i32.add (i32.mul (local.get $slot) (i32.const 5)) (local.get $hash)) (i32.const 1))))
        (br $probe)))
      (${store} (local.get $at) (local.get $index))`;
}

/** Empties the slots of a keys object; gives where they end. */
const clearIndicesText = `
(func $clear (param $keys i32) (result i32) (local $at i32) (local $end i32)
  (local.set $at (i32.add (local.get $keys) (i32.const ${keys.indices})))
  (local.set $end (i32.add (local.get $at)
    (i32.shl (i32.const 1) (i32.load8_u offset=${keys.log2IndexBytes} (local.get $keys)))))
  (loop $each
    (i64.store (local.get $at) (i64.const -1))
    (local.set $at (i32.add (local.get $at) (i32.const 8)))
    (br_if $each (i32.lt_u (local.get $at) (local.get $end))))
  (local.get $end))`;

/** Rebuilds a keys object from the numbers of its keys alone: neither its entries nor the keys are looked at. */
function namesText(bits: number): string {
  return `
(func $names${bits} (param $keys i32) (param $number i32) (param $count i32) (param $hashes i32)
  (local $mask i32) (local $index i32) (local $hash i32) (local $slot i32) (local $at i32) (local $indices i32)
  (local.set $indices (i32.add (local.get $keys) (i32.const ${keys.indices})))
  (local.set $mask (i32.sub
    (i32.shl (i32.const 1) (i32.load8_u offset=${keys.log2Size} (local.get $keys))) (i32.const 1)))
  (block $done (loop $entries
    (br_if $done (i32.eq (local.get $index) (local.get $count)))
    (local.set $hash (i32.load16_u (local.get $number)))
    (block $next
      (br_if $next (i32.eq (local.get $hash) (i32.const ${noText})))
      (local.set $hash (i32.load (i32.add (local.get $hashes) (i32.shl (local.get $hash) (i32.const 2)))))
      ${place(bits)})
    (local.set $number (i32.add (local.get $number) (i32.const 2)))
    (local.set $index (i32.add (local.get $index) (i32.const 1)))
    (br $entries))))`;
}

/** The same from its entries and what they refer to, for one width of an index. A deleted entry has no key. */
function keysText(bits: number): string {
  return `
(func $keys${bits} (param $keys i32) (param $entry i32) (param $step i32)
  (local $mask i32) (local $index i32) (local $count i32) (local $key i32) (local $hash i32) (local $slot i32)
  (local $at i32) (local $indices i32)
  (local.set $indices (i32.add (local.get $keys) (i32.const ${keys.indices})))
  (local.set $mask (i32.sub
    (i32.shl (i32.const 1) (i32.load8_u offset=${keys.log2Size} (local.get $keys))) (i32.const 1)))
  (local.set $count (i32.load offset=${keys.entries} (local.get $keys)))
  (block $done (loop $entries
    (br_if $done (i32.eq (local.get $index) (local.get $count)))
    (block $next
      (if (i32.eq (local.get $step) (i32.const ${unicodeEntry.bytes}))
        (then
          (local.set $key (i32.load offset=${unicodeEntry.key} (local.get $entry)))
          (br_if $next (i32.eqz (local.get $key)))
          (local.set $hash (i32.load ${word(contentHash)} (local.get $key))))
        (else
          (local.set $key (i32.load offset=${generalEntry.key} (local.get $entry)))
          (br_if $next (i32.eqz (local.get $key)))
          (local.set $hash (call $knownHash
            (local.get $key) (i32.load offset=${generalEntry.hash} (local.get $entry))))
          (i32.store offset=${generalEntry.hash} (local.get $entry) (local.get $hash))))
      ${place(bits)})
    (local.set $entry (i32.add (local.get $entry) (local.get $step)))
    (local.set $index (i32.add (local.get $index) (i32.const 1)))
    (br $entries))))`;
}

const anyKeysText = `
(func $keys (param $keys i32)
  (local $end i32) (local $step i32) (local $log2 i32)
  (local.set $end (call $clear (local.get $keys)))
  (local.set $step (select (i32.const ${generalEntry.bytes}) (i32.const ${unicodeEntry.bytes})
    (i32.eq (i32.load8_u offset=${keys.kind} (local.get $keys)) (i32.const ${generalKind}))))
  (local.set $log2 (i32.load8_u offset=${keys.log2Size} (local.get $keys)))
  (if (i32.lt_u (local.get $log2) (i32.const 8))
    (then (call $keys8 (local.get $keys) (local.get $end) (local.get $step)))
    (else (if (i32.lt_u (local.get $log2) (i32.const 16))
      (then (call $keys16 (local.get $keys) (local.get $end) (local.get $step)))
      (else (call $keys32 (local.get $keys) (local.get $end) (local.get $step)))))))`;

/** set_table_resize without a change of size, Objects/setobject.c: the old table waits in the scratch space. */
const setText = (dummy: number): string => `
(func $set (param $set i32) (param $scratch i32)
  (local $mask i32) (local $table i32) (local $bytes i32) (local $end i32) (local $key i32) (local $hash i32)
  (local $perturb i32) (local $slot i32) (local $probes i32) (local $at i32)
  (local.set $mask (i32.load ${word(set.mask)} (local.get $set)))
  (local.set $table (i32.load ${word(set.table)} (local.get $set)))
  (local.set $bytes (i32.shl (i32.add (local.get $mask) (i32.const 1)) (i32.const 3)))
  (memory.copy (local.get $scratch) (local.get $table) (local.get $bytes))
  (memory.fill (local.get $table) (i32.const 0) (local.get $bytes))
  (i32.store ${word(set.fill)} (local.get $set) (i32.load ${word(set.used)} (local.get $set)))
  (local.set $end (i32.add (local.get $scratch) (local.get $bytes)))
  (loop $entries
    (local.set $key (i32.load (local.get $scratch)))
    (if (i32.eqz (i32.or (i32.eqz (local.get $key)) (i32.eq (local.get $key) (i32.const ${dummy}))))
      (then
        (local.set $hash (call $knownHash (local.get $key) (i32.load offset=4 (local.get $scratch))))
        (local.set $perturb (local.get $hash))
        (local.set $slot (i32.and (local.get $hash) (local.get $mask)))
        (block $free (loop $probe
          (local.set $at (i32.add (local.get $table) (i32.shl (local.get $slot) (i32.const 3))))
          (local.set $probes (select (i32.const ${setLinearProbes}) (i32.const 0)
            (i32.le_u (i32.add (local.get $slot) (i32.const ${setLinearProbes})) (local.get $mask))))
          (loop $neighbours
            (br_if $free (i32.eqz (i32.load (local.get $at))))
            (if (local.get $probes) (then
              (local.set $at (i32.add (local.get $at) (i32.const 8)))
              (local.set $probes (i32.sub (local.get $probes) (i32.const 1)))
              (br $neighbours))))
          (local.set $perturb (i32.shr_u (local.get $perturb) (i32.const ${perturbShift})))
          (local.set $slot (i32.and (local.get $mask) (i32.add
            (i32.add (i32.mul (local.get $slot) (i32.const 5)) (local.get $perturb)) (i32.const 1))))
          (br $probe)))
        (i32.store (local.get $at) (local.get $key))
        (i32.store offset=4 (local.get $at) (local.get $hash))))
    (local.set $scratch (i32.add (local.get $scratch) (i32.const 8)))
    (br_if $entries (i32.lt_u (local.get $scratch) (local.get $end)))))`;

/**
 * A _Py_hashtable_t (Python/hashtable.c): all entries are linked into one chain, then each is given its bucket. Keys are str
 * objects, or C strings.
 */
const chainsText = `
(func $chains (param $table i32) (param $cStrings i32)
  (local $heads i32) (local $end i32) (local $at i32) (local $all i32) (local $entry i32) (local $next i32)
  (local $key i32) (local $hash i32) (local $mask i32)
  (local.set $heads (i32.load ${word(chainTable.heads)} (local.get $table)))
  (local.set $mask (i32.sub (i32.load ${word(chainTable.buckets)} (local.get $table)) (i32.const 1)))
  (local.set $end (i32.add (local.get $heads)
    (i32.shl (i32.add (local.get $mask) (i32.const 1)) (i32.const 2))))
  (local.set $at (local.get $heads))
  (loop $buckets
    (local.set $entry (i32.load (local.get $at)))
    (block $empty (loop $chain
      (br_if $empty (i32.eqz (local.get $entry)))
      (local.set $next (i32.load ${word(chainEntry.next)} (local.get $entry)))
      (i32.store ${word(chainEntry.next)} (local.get $entry) (local.get $all))
      (local.set $all (local.get $entry))
      (local.set $entry (local.get $next))
      (br $chain)))
    (i32.store (local.get $at) (i32.const 0))
    (local.set $at (i32.add (local.get $at) (i32.const 4)))
    (br_if $buckets (i32.lt_u (local.get $at) (local.get $end))))
  (block $done (loop $entries
    (br_if $done (i32.eqz (local.get $all)))
    (local.set $next (i32.load ${word(chainEntry.next)} (local.get $all)))
    (local.set $key (i32.load ${word(chainEntry.key)} (local.get $all)))
    (if (local.get $cStrings)
      (then
        (local.set $at (local.get $key))
        (block $nul (loop $characters
          (br_if $nul (i32.eqz (i32.load8_u (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $characters)))
        (local.set $hash (call $hash (local.get $key) (i32.sub (local.get $at) (local.get $key)))))
      (else (local.set $hash (i32.load ${word(contentHash)} (local.get $key)))))
    (i32.store ${word(chainEntry.hash)} (local.get $all) (local.get $hash))
    (local.set $at (i32.add (local.get $heads)
      (i32.shl (i32.and (local.get $hash) (local.get $mask)) (i32.const 2))))
    (i32.store ${word(chainEntry.next)} (local.get $all) (i32.load (local.get $at)))
    (i32.store (local.get $at) (local.get $all))
    (local.set $all (local.get $next))
    (br $entries))))`;

/** One list of the program: `step` bytes for each item, which stands at $at. */
function each(name: string, step: number, instructions: string): string {
  return `
  (local.set $end (i32.add (i32.add (local.get $at) (i32.const 4))
    (i32.mul (i32.load (local.get $at)) (i32.const ${step}))))
  (local.set $at (i32.add (local.get $at) (i32.const 4)))
  (block $${name}End (loop $${name}
    (br_if $${name}End (i32.eq (local.get $at) (local.get $end)))
    (local.set $item (i32.load (local.get $at)))
    ${instructions}
    (local.set $at (i32.add (local.get $at) (i32.const ${step})))
    (br $${name})))`;
}

const second = "(i32.load offset=4 (local.get $at))";

const inTurn = [0, 4, 8, 12]
  .map(
    (at) =>
      `(i32.store (i32.load offset=${at} (local.get $fields)) (i32.load offset=${at} (local.get $hashes)))`,
  )
  .join("");

/** The same for four texts of equal length at a time, whose words stand side by side. Each hash goes to its field and to the list. */
const textsText = (secret: number): string => `
(func $texts (param $at i32) (param $hashes i32) (result i32)
  (local $groups i32) (local $fours i32) (local $bytes i32) (local $blocks i32) (local $left i32)
  (local $fields i32) (local $x v128) (local $word v128)
  (local.set $groups (i32.load (local.get $at)))
  (local.set $at (i32.add (local.get $at) (i32.const 4)))
  (block $done (loop $group
    (br_if $done (i32.eqz (local.get $groups)))
    (local.set $fours (i32.load (local.get $at)))
    (local.set $bytes ${second})
    (local.set $blocks (i32.shr_u (i32.sub (local.get $bytes) (i32.const 1)) (i32.const 2)))
    (local.set $at (i32.add (local.get $at) (i32.const 8)))
    (loop $four
      (local.set $fields (local.get $at))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (local.set $x (v128.xor (i32x4.splat (i32.load (i32.const ${secret})))
        (i32x4.shl (v128.and (v128.load (local.get $at)) (i32x4.splat (i32.const 255))) (i32.const 7))))
      (local.set $left (local.get $blocks))
      (block $last (loop $each
        (br_if $last (i32.eqz (local.get $left)))
        (local.set $x (v128.xor
          (i32x4.mul (local.get $x) (i32x4.splat (i32.const ${multiplier}))) (v128.load (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $each)))
      (local.set $word (v128.load (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (local.set $left (i32.sub (local.get $bytes) (i32.shl (local.get $blocks) (i32.const 2))))
      (loop $rest
        (local.set $x (v128.xor (i32x4.mul (local.get $x) (i32x4.splat (i32.const ${multiplier})))
          (v128.and (local.get $word) (i32x4.splat (i32.const 255)))))
        (local.set $word (i32x4.shr_u (local.get $word) (i32.const 8)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $rest (local.get $left)))
      (local.set $x (v128.xor (v128.xor (local.get $x) (i32x4.splat (local.get $bytes)))
        (i32x4.splat (i32.load (i32.const ${secret + 4})))))
      (v128.store (local.get $hashes) (i32x4.add (local.get $x)
        (i32x4.eq (local.get $x) (i32x4.splat (i32.const -1)))))
      ${inTurn}
      (local.set $hashes (i32.add (local.get $hashes) (i32.const 16)))
      (local.set $fours (i32.sub (local.get $fours) (i32.const 1)))
      (br_if $four (local.get $fours)))
    (local.set $groups (i32.sub (local.get $groups) (i32.const 1)))
    (br $group)))
  (local.get $hashes))`;

const nameTablesText = `
(func $nameTables (param $at i32) (param $hashes i32)
  (local $tables i32) (local $keys i32) (local $count i32) (local $numbers i32) (local $end i32)
  (local.set $tables (i32.load (local.get $at)))
  (local.set $at (i32.add (local.get $at) (i32.const 4)))
  (block $done (loop $table
    (br_if $done (i32.eqz (local.get $tables)))
    (local.set $keys (i32.load (local.get $at)))
    (local.set $count ${second})
    (local.set $numbers (i32.add (local.get $at) (i32.const 8)))
    (local.set $at (i32.add (local.get $numbers)
      (i32.shl (i32.shr_u (i32.add (local.get $count) (i32.const 1)) (i32.const 1)) (i32.const 2))))
    (local.set $tables (i32.sub (local.get $tables) (i32.const 1)))
    (local.set $end (call $clear (local.get $keys)))
    (if (i32.lt_u (i32.load8_u offset=${keys.log2Size} (local.get $keys)) (i32.const 8))
      (then (call $names8 (local.get $keys) (local.get $numbers) (local.get $count) (local.get $hashes)))
      (else (call $names16 (local.get $keys) (local.get $numbers) (local.get $count) (local.get $hashes))))
    (br $table))))`;

const programText = `
(func $program (param $at i32) (param $scratch i32) (local $end i32) (local $item i32)
  ${each("resets", 4, "(i32.store (local.get $item) (i32.const -1))")}
  ${each("copies", 8, `(i32.store (local.get $item) (i32.load ${second}))`)}
  ${each("keyTables", 4, "(call $keys (local.get $item))")}
  ${each("sets", 4, "(call $set (local.get $item) (local.get $scratch))")}
  ${each("textChains", 4, "(call $chains (local.get $item) (i32.const 0))")}
  ${each("cTextChains", 4, "(call $chains (local.get $item) (i32.const 1))")})`;
