// What the library's entry loads: the public API, and what it asks for itself.
export { hasPrepared } from "./host/image-cache.ts";
export * from "./index.ts";
