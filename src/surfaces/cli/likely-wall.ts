// A guess at what the command will need, made before the code is loaded that knows what its words mean.

/** Whether the words are those of a run behind the default wall. A wrong guess costs time alone. */
export function willUseWorker(words: readonly string[] = process.argv.slice(2)): boolean {
  const [verb, ...rest] = words;
  return verb === "run" && rest.length > 0 && !rest.some((word) => /^(--isolation|--help|-h$)/.test(word));
}
