// What the library's entry loads: the public API, and what the entry asks for itself.
export * from "./index.ts";
export { hasWritten } from "./platform/node/cache/image-store.ts";
export { usedParts } from "./platform/node/engine/used-parts.ts";
