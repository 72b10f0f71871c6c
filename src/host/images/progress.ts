// Long steps, told to whoever waits for them.

/** Called at the beginning of each step, with what is done in words. */
export type Progress = (step: string) => void;
