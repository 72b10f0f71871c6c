// Modules of Node's that few starts need, loaded when they are asked for.

/** node:crypto: 2 ms. */
export function nodeCrypto(): typeof import("node:crypto") {
  return process.getBuiltinModule("node:crypto");
}
