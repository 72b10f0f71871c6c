// Objects that are made of dicts: no name means anything to them, and while they are filled they inherit nothing, whatever
// somebody did to Object.prototype.

function Bare(): void {}
// A prototype of their own: V8 keeps objects without one in a slower form.
Bare.prototype = Object.freeze(Object.create(null));
const Constructor = Bare as unknown as new () => Record<string, never>;

/** To be filled with names that do not start with a digit. */
export function newBareObject<T>(): Record<string, T> {
  return new Constructor();
}

/** For when it is filled. */
export function withoutPrototype<T extends object>(filled: T): T {
  return Object.setPrototypeOf(filled, null);
}

/** Whether such a property would make whoever awaits the object call what the guest has lent. */
export function isThenable(name: string, value: unknown): boolean {
  return typeof value === "function" && name === "then";
}

/** Objects put names that are numbers first. */
export function startsWithDigit(text: string): boolean {
  const code = text.charCodeAt(0);
  return code >= 0x30 && code <= 0x39;
}
