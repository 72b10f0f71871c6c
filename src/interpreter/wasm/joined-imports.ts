// Fewer kinds of imports. For each signature that a module imports, V8 compiles a wrapper when a process makes its first instance (Node 20;
// later versions have one for all): with 59 of them that was two thirds of an instance. So imports that take and give i32 alone
// are declared with one signature, those that never return with none, and what called them calls an adapter in the module.

import { ByteReader } from "./format/byte-reader.ts";
import { ByteWriter } from "./format/byte-writer.ts";
import { type FunctionBody, mentionsOf, readBodies, rewriteBodies } from "./format/code-section.ts";
import { readReferredFunctions, withFunctions } from "./format/element-section.ts";
import { type ExportEntry, exportKind } from "./format/export-section.ts";
import { FunctionSpace } from "./format/function-space.ts";
import { FunctionTypes, type I32Arity, i32Arity } from "./format/function-types.ts";
import { functionImport, type ImportEntry, type ImportName } from "./format/import-section.ts";
import { numberEnd, opcode } from "./format/instruction.ts";

/** Parameters of the joined signature, and of the functions in JavaScript: see kernel/bind-imports.ts. */
const mostParameters = 7;

interface ModuleParts {
  /** Contents of the sections of these names. */
  readonly types: Uint8Array;
  readonly functions: Uint8Array;
  readonly elements: Uint8Array;
  readonly code: Uint8Array;
  readonly imports: readonly ImportEntry[];
  readonly exports: readonly ExportEntry[];
}

/** The same module with joined imports. `neverReturns`: whether calling that import ends the guest. */
export function joinImports(parts: ModuleParts, neverReturns: (entry: ImportName) => boolean): ModuleParts {
  const types = new FunctionTypes(parts.types);
  const functions = new FunctionSpace(types, parts.imports, new ByteReader(parts.functions));
  const mentioned = mentionedFunctions(parts, functions.importedCount);
  const adapters = new Map<number, number>();
  const [bodies, typeIndices]: [Uint8Array[], number[]] = [[], []];
  const declare = (entry: ImportEntry & { typeIndex: number }, index: number): ImportEntry => {
    const ends = neverReturns(entry);
    const isMentioned = mentioned.has(index);
    const arity = ends || !isMentioned ? undefined : i32Arity(functions.signature(index));
    const joins = arity !== undefined && arity.parameters <= mostParameters;
    if (isMentioned && !ends && !joins) return entry;
    const typeIndex = joins ? types.i32TypeIndex(mostParameters, true) : types.i32TypeIndex(0, false);
    if (typeIndex === entry.typeIndex) return entry;
    if (isMentioned) {
      adapters.set(index, functions.count + bodies.length);
      typeIndices.push(entry.typeIndex);
      bodies.push(adapterBody(index, arity));
    }
    return functionImport(entry, typeIndex);
  };
  let imported = 0;
  const imports = parts.imports.map((entry) =>
    entry.kind === "function" ? declare(entry, imported++) : entry,
  );
  const redirected = (index: number): number => adapters.get(index) ?? index;
  return {
    types: types.finish(),
    functions: functions.withAdded(typeIndices),
    elements: withFunctions(new ByteReader(parts.elements), redirected),
    code: rewriteBodies(parts.code, functions.importedCount, (body) => redirectBody(body, adapters), bodies),
    imports,
    exports: parts.exports.map((entry) =>
      entry.kind === exportKind.function ? { ...entry, index: redirected(entry.index) } : entry,
    ),
  };
}

function mentionedFunctions({ code, elements, exports }: ModuleParts, firstIndex: number): Set<number> {
  const mentioned = new Set(readReferredFunctions(new ByteReader(elements)));
  for (const { kind, index } of exports) if (kind === exportKind.function) mentioned.add(index);
  for (const body of readBodies(code, firstIndex))
    for (const { index } of mentionsOf(body)) mentioned.add(index);
  return mentioned;
}

/** Without an arity the import never returns. */
function adapterBody(imported: number, arity: I32Arity | undefined): Uint8Array {
  const out = new ByteWriter(32);
  out.u32(0);
  for (let index = 0; arity && index < mostParameters; index++)
    out.bytes(index < arity.parameters ? [opcode.localGet, index] : [opcode.i32Const, 0]);
  out.byte(opcode.call);
  out.u32(imported);
  if (arity === undefined) out.byte(opcode.unreachable);
  else if (!arity.returns) out.byte(opcode.drop);
  out.byte(opcode.end);
  return out.finish();
}

function redirectBody(body: FunctionBody, adapters: ReadonlyMap<number, number>): Uint8Array | undefined {
  const { bytes, start, end } = body;
  const out = new ByteWriter(end - start + 64);
  let copied = start;
  for (const { at, index } of mentionsOf(body)) {
    const adapter = adapters.get(index);
    if (adapter === undefined) continue;
    out.bytes(bytes.subarray(copied, at));
    out.u32(adapter);
    copied = numberEnd(bytes, at);
  }
  if (copied === start) return undefined;
  out.bytes(bytes.subarray(copied, end));
  return out.finish();
}
