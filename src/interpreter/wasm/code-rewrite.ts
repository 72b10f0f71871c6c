// The changes to function bodies: the trampoline's and, in the metered form, charges for whatever can take long.

import { surveyCode } from "./code-survey.ts";
import { type FunctionBody, rewriteBodies } from "./format/code-section.ts";
import { readTableFunctions } from "./format/element-section.ts";
import { type Exports, findExport } from "./format/export-section.ts";
import { FunctionSpace } from "./format/function-space.ts";
import { FunctionTypes } from "./format/function-types.ts";
import { ImageFormatError } from "./format/image-format-error.ts";
import type { ImportEntry } from "./format/import-section.ts";
import { openSection, type Sections, sectionId } from "./format/sections.ts";
import { growTable, withElement } from "./host-slot.ts";
import { planMetering } from "./metering/metering.ts";
import { planPacing } from "./metering/pacing.ts";
import { forwardsParameters, trampolineBody, trampolineImport, trampolineSignature } from "./trampoline.ts";

const functionTable = "__indirect_function_table";

interface RewrittenCode {
  readonly types: Uint8Array;
  readonly functions: Uint8Array;
  readonly code: Uint8Array;
  readonly table: Uint8Array;
  readonly elements: Uint8Array;
  /** The index of the function table at which the host stands. */
  readonly hostSlot: number;
}

/** What the code counts down, and the index of the global that it does that in. */
interface Counting {
  readonly count: "work" | "looks" | "nothing";
  readonly global: number;
}

/** The new contents of the sections. */
export function rewriteCode(
  sections: Sections,
  imports: readonly ImportEntry[],
  exports: Exports,
  counting: Counting,
): RewrittenCode {
  const types = new FunctionTypes(openSection(sections, sectionId.type).bytes);
  const functions = new FunctionSpace(types, imports, openSection(sections, sectionId.function));
  const code = openSection(sections, sectionId.code).bytes;

  const callee = findFunctionImport(imports, trampolineImport.module, trampolineImport.name);
  const survey = surveyCode(code, functions.importedCount, callee);
  if (survey.usesDataSegments) {
    throw new ImageFormatError("the code has memory.init or data.drop, which need a data section");
  }
  const importedGlobals = imports.filter((entry) => entry.kind === "global").length;
  for (const index of survey.writtenGlobals) {
    if (index < importedGlobals) throw new ImageFormatError(`the code writes the imported global ${index}`);
  }

  const trampoline = findTrampoline(survey.callers, callee, functions);
  const table = findExport(exports, functionTable, "table").index;
  const tableFunctions = readTableFunctions(openSection(sections, sectionId.element), table);
  const tableSignatures = new Map<number, string>();
  for (const [index, target] of tableFunctions) tableSignatures.set(index, functions.signature(target));
  const grown = growTable(openSection(sections, sectionId.table), table);
  tableSignatures.set(grown.slot, trampolineSignature);
  const body = trampolineBody(tableSignatures, table, types);

  const input = {
    code,
    types,
    functions,
    exports,
    findImport: (name: string) => findFunctionImport(imports, "env", name),
    // Without the host, which never calls the guest back.
    tableFunctions: new Set(tableFunctions.values()),
    trampoline: trampoline.functionIndex,
    fuelGlobal: counting.global,
  };
  const plans = { work: planMetering, looks: planPacing, nothing: () => undefined };
  const metering = plans[counting.count](input);
  const added = metering?.added ?? [];
  const rewritten = rewriteBodies(
    code,
    functions.importedCount,
    (old) => (old.functionIndex === trampoline.functionIndex ? body : metering?.pass(old)),
    added.map((addition) => addition.body),
  );
  return {
    types: types.finish(),
    functions: functions.withAdded(added.map((addition) => addition.typeIndex)),
    code: rewritten,
    table: grown.section,
    elements: withElement(openSection(sections, sectionId.element), table, grown.slot, callee),
    hostSlot: grown.slot,
  };
}

function findFunctionImport(imports: readonly ImportEntry[], module: string, name: string): number {
  const index = imports
    .filter((entry) => entry.kind === "function")
    .findIndex((entry) => entry.module === module && entry.name === name);
  if (index < 0) throw new ImageFormatError(`the module does not import ${module}.${name}`);
  return index;
}

function findTrampoline(
  callers: readonly FunctionBody[],
  callee: number,
  functions: FunctionSpace,
): FunctionBody {
  const { name } = trampolineImport;
  const [trampoline, ...others] = callers;
  if (trampoline === undefined || others.length > 0) {
    throw new ImageFormatError(`expected one call of ${name}, found ${callers.length}`);
  }
  for (const index of [callee, trampoline.functionIndex]) {
    const signature = functions.signature(index);
    if (signature !== trampolineSignature) {
      throw new ImageFormatError(`${name} or its caller is ${signature}; expected ${trampolineSignature}`);
    }
  }
  if (!forwardsParameters(trampoline, callee)) {
    throw new ImageFormatError(`the caller of ${name} does not pass on its own parameters`);
  }
  return trampoline;
}
