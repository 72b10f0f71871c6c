// Gives Python its way to call the host: a C function of the package `sandboa` that takes bytes and gives bytes. Part of the image.
import { ImageError } from "../errors/image-error.ts";
import { allocateText } from "./boot.ts";
import type { Machine } from "./machine.ts";

/** METH_O of CPython: called with self and one argument. */
const oneArgument = 8;
/** struct PyMethodDef: name, function (an index of the table), flags, text. */
const definitionBytes = 16;

/** `slot`: where in the function table the host stands. Throws ImageError. */
export function offerHostCall(machine: Machine, slot: number): void {
  const { python, guest } = machine;
  // CPython keeps the definition and its name for as long as the function lives, which is for ever.
  const definition = machine.allocate(definitionBytes) >>> 0;
  const name = allocateText(machine, "_host_call");
  for (const [index, word] of [name, slot, oneArgument, 0].entries())
    guest.setU32(definition + 4 * index, word);
  const module = python.PyImport_ImportModule(allocateText(machine, "sandboa"));
  const call = python.PyCMethod_New(definition, 0, 0, 0);
  if (module === 0 || call === 0 || python.PyObject_SetAttrString(module, name, call) !== 0)
    throw new ImageError("IMAGE_BUILD_FAILED", "the guest could not be given its way to the host");
}
