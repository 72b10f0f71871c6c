// How much host memory outside of its linear memory a guest may make the host hold, unless the embedder says otherwise.

export const defaultHostMemoryBytes = 64 * 2 ** 20;
