// Wrong words on the command line, or what they name cannot be used: one line for a person, and exit status 2.

/** In the object of `--json`. */
export const usageCode = "USAGE";

export class UsageError extends Error {}
