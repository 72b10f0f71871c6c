// What the command's entry loads, and what the entry asks for itself.
export { hasWritten } from "./platform/node/cache/image-store.ts";
export { usedParts } from "./platform/node/engine/used-parts.ts";
export { main } from "./surfaces/cli/main.ts";
