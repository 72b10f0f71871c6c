// What of the guest's tree is the sandbox's own: nobody can grant anything there, and nothing of it is a result.
import { libraryDirectory } from "../interpreter/boot.ts";

export const ownPlaces: readonly string[] = [libraryDirectory, "/dev"];

/** Whether an absolute path leads to one of them. */
export function isOwnPlace(path: string): boolean {
  return ownPlaces.some((place) => path === place || path.startsWith(`${place}/`));
}
