// What a function of the embedder's says of itself before it is called.

/** Whether it was written with the word `async`, as a function or as a generator. */
export function isAsyncFunction(candidate: unknown): boolean {
  const kind = Object.prototype.toString.call(candidate);
  return kind === "[object AsyncFunction]" || kind === "[object AsyncGeneratorFunction]";
}
