// Building an image: the rewritten module and a snapshot of an interpreter that has been booted and has imported what
// programs commonly use. The boot is done twice, because compiling leaves a megabyte of debris in memory: the first
// machine only fills the bytecode cache, the second one imports from it and is the one that is captured.
import { ImageError } from "../errors/image-error.ts";
import { checkImports, isRefused } from "../kernel/bind-imports.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { utc } from "../kernel/time-zone.ts";
import { allocateText, boot, builtinModules, clearDeadStack } from "./boot.ts";
import { distribution } from "./distribution.ts";
import { equipRequest, imageEquipment } from "./equipment.ts";
import { requiredExports } from "./exports.ts";
import { offerHostCall } from "./host-call.ts";
import { Machine } from "./machine.ts";
import { encodeMarshal } from "./marshal/encode.ts";
import type { RehashPlan } from "./rehash/plan.ts";
import { surveyRehash } from "./rehash/survey.ts";
import { call, NoAnswer } from "./request.ts";
import { capture, layOutMemory, type Snapshot } from "./snapshot.ts";
import { exportKind, readExportSection } from "./wasm/format/export-section.ts";
import { readModuleImports } from "./wasm/format/module-imports.ts";
import { openSection, readSections, sectionId } from "./wasm/format/sections.ts";
import { type RewrittenImage, rewriteImage } from "./wasm/rewrite.ts";

/** Pages of 64 KiB that the module itself declares as its maximum: all of a 32-bit address space. */
const memoryMaximumPages = 65_536;

export interface ModuleForm {
  /** Every function and data symbol stays exported, for dlsym(3): that costs ten milliseconds per instance. */
  readonly allSymbols?: boolean;
  /** Whether the guest's work is counted: see wasm/metering/metering.ts. */
  readonly metered?: boolean;
}

/**
 * Rewrites pyodide.asm.wasm, after checking that it imports nothing that the kernel does not know. The metered form differs in
 * its code alone: what was captured from a machine of one form can be restored into a machine of the other.
 */
export function prepareModule(wasm: Uint8Array, form: ModuleForm = {}): RewrittenImage {
  const { allSymbols = false, metered = false } = form;
  checkImports(readModuleImports(wasm).filter((declared) => declared.module !== "GOT.func"));
  const exports = allSymbols ? new Set([...requiredExports, ...symbolNames(wasm)]) : requiredExports;
  const { lateData, unusedData } = distribution;
  return rewriteImage(wasm, {
    exports: [...exports],
    memoryMaximumPages,
    metered,
    paced: !metered,
    lateData,
    unusedData,
    neverReturns: isRefused,
  });
}

function symbolNames(wasm: Uint8Array): string[] {
  const exports = readExportSection(openSection(readSections(wasm), sectionId.export));
  const kinds: readonly number[] = [exportKind.function, exportKind.global];
  return [...exports.values()].filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
}

export interface ImageRecipe {
  /** Whether a built-in extension module exists in this image. */
  readonly allowsModule: (name: string) => boolean;
  /** Modules that are imported before the snapshot is taken. */
  readonly preload: readonly string[];
  /** Modules whose bytecode is worth having, besides those preloaded. */
  readonly compile: readonly string[];
}

interface BuildSteps {
  /** A kernel with the library mounted and the bytecode cache, kept between the two boots, writable. */
  readonly makeKernel: () => Kernel;
  readonly onStep?: (step: string) => void;
}

interface PreparedSnapshot {
  readonly snapshot: Snapshot;
  readonly rehash: RehashPlan;
}

export function buildSnapshot(
  rewritten: RewrittenImage,
  recipe: ImageRecipe,
  steps: BuildSteps,
): PreparedSnapshot {
  const module = new WebAssembly.Module(rewritten.full as Uint8Array<ArrayBuffer>);
  const start = (): Runner => startRunner(module, rewritten, recipe, steps.makeKernel());
  steps.onStep?.("compiling the standard library");
  const compiler = start();
  demandDone(compiler, { action: "compile", modules: [...recipe.preload, ...recipe.compile] });
  steps.onStep?.("booting the interpreter");
  const runner = start();
  demandDone(runner, { action: "prepare", modules: recipe.preload });
  demandDone(runner, equipRequest(imageEquipment, utc));
  const layout = layOutMemory(runner.machine);
  clearDeadStack(runner.machine);
  const snapshot = capture(runner.machine, runner.handler, layout);
  return { snapshot, rehash: surveyRehash(runner.machine, snapshot, rewritten.symbols) };
}

interface Runner {
  readonly machine: Machine;
  /** Address of sandboa._runner.handle. */
  readonly handler: number;
}

function startRunner(
  module: WebAssembly.Module,
  rewritten: RewrittenImage,
  recipe: ImageRecipe,
  kernel: Kernel,
): Runner {
  const machine = new Machine(module, kernel, rewritten.hiddenGlobals);
  boot(machine, rewritten.symbols, recipe.allowsModule);
  const { python } = machine;
  offerHostCall(machine, rewritten.hostSlot);
  const runner = python.PyImport_ImportModule(allocateText(machine, "sandboa._runner"));
  const handler = runner && python.PyObject_GetAttrString(runner, allocateText(machine, "handle"));
  if (!handler) {
    python.PyErr_Print();
    throw new ImageError("IMAGE_BUILD_FAILED", "the guest's runner could not be imported");
  }
  return { machine, handler };
}

function demandDone(runner: Runner, request: Readonly<Record<string, unknown>>): void {
  try {
    call(runner.machine, runner.handler, encodeMarshal(request, { maxBytes: 1 << 20 }), 1 << 20);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw new ImageError("IMAGE_BUILD_FAILED", `the guest's runner failed to ${String(request.action)}`);
  }
}

/** What the build offers as built-in extension modules, before a recipe restricts them. */
export function listBuiltinModules(rewritten: RewrittenImage, kernel: Kernel): readonly string[] {
  const module = new WebAssembly.Module(rewritten.full as Uint8Array<ArrayBuffer>);
  return builtinModules(new Machine(module, kernel, rewritten.hiddenGlobals), rewritten.symbols);
}
