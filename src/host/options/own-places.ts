// What of the guest's tree is the sandbox's own: nobody can grant anything there, and nothing of it is a result.
import { libraryDirectory } from "../../interpreter/boot.ts";

export const ownPlaces: readonly string[] = [libraryDirectory, "/dev"];

/** Whether an absolute path leads to one of them. */
export function isOwnPlace(path: string): boolean {
  return ownPlaces.some((place) => path === place || path.startsWith(`${place}/`));
}

/** Where the library looks for the interpreter's program and what it was built from (sysconfig.py); there is neither. */
const ownLooks: ReadonlySet<string> = new Set([
  "/bin",
  "/bin/python3",
  "/bin/Modules/Setup",
  "/bin/Modules/Setup.local",
]);

/** Whether the interpreter looks there of itself: no program's asking. */
export function isOwnLook(path: string): boolean {
  return ownLooks.has(path);
}
