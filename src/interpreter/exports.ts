// The exports of the module that we use; the image rewriter cuts all others. Signatures: CPython's C API and Emscripten's
// runtime. Addresses and sizes are i32, so they arrive signed.

export interface PythonExports {
  readonly memory: WebAssembly.Memory;
  readonly __indirect_function_table: WebAssembly.Table;
  readonly __stack_pointer: WebAssembly.Global<"i32">;
  readonly tzname: WebAssembly.Global<"i32">;
  __wasm_call_ctors(): void;
  malloc(bytes: number): number;
  free(address: number): void;
  sbrk(increment: number): number;
  emscripten_builtin_memalign(alignment: number, bytes: number): number;
  emscripten_stack_get_base(): number;
  __dl_seterr(format: number, values: number): void;

  PyInitConfig_Create(): number;
  PyInitConfig_SetInt(config: number, name: number, value: bigint): number;
  PyInitConfig_SetStr(config: number, name: number, value: number): number;
  PyInitConfig_SetStrList(config: number, name: number, length: number, items: number): number;
  PyInitConfig_GetError(config: number, message: number): number;
  PyInitConfig_Free(config: number): void;
  Py_InitializeFromInitConfig(config: number): number;

  PyThreadState_Get(): number;
  PyUnstable_ThreadState_SetStackProtection(state: number, start: number, bytes: number): number;
  PyImport_ImportModule(name: number): number;
  PyObject_GetAttrString(object: number, name: number): number;
  PyObject_SetAttrString(object: number, name: number, value: number): number;
  PyCMethod_New(definition: number, self: number, module: number, type: number): number;
  PyObject_CallOneArg(callable: number, argument: number): number;
  PyObject_Hash(object: number): number;
  Py_HashBuffer(address: number, bytes: number): number;
  PyBytes_FromStringAndSize(address: number, bytes: number): number;
  PyBytes_AsStringAndSize(object: number, address: number, length: number): number;
  Py_DecRef(object: number): void;
  PyErr_Print(): void;
  PyErr_Clear(): void;
  PyErr_SetInterruptEx(signal: number): number;
}

const functionExports: readonly (keyof PythonExports)[] = [
  "__wasm_call_ctors",
  "malloc",
  "free",
  "sbrk",
  "emscripten_builtin_memalign",
  "emscripten_stack_get_base",
  "__dl_seterr",
  "PyInitConfig_Create",
  "PyInitConfig_SetInt",
  "PyInitConfig_SetStr",
  "PyInitConfig_SetStrList",
  "PyInitConfig_GetError",
  "PyInitConfig_Free",
  "Py_InitializeFromInitConfig",
  "PyThreadState_Get",
  "PyUnstable_ThreadState_SetStackProtection",
  "PyImport_ImportModule",
  "PyObject_GetAttrString",
  "PyObject_SetAttrString",
  "PyCMethod_New",
  "PyObject_CallOneArg",
  "PyObject_Hash",
  "Py_HashBuffer",
  "PyBytes_FromStringAndSize",
  "PyBytes_AsStringAndSize",
  "Py_DecRef",
  "PyErr_Print",
  "PyErr_Clear",
  "PyErr_SetInterruptEx",
];

export const requiredExports: readonly string[] = [
  "memory",
  "__indirect_function_table",
  "__stack_pointer",
  "tzname",
  ...functionExports,
];
