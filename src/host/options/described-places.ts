// Granted places in a few words for whoever is to write a program: what can be done there, never what of the host's stands behind.
import type { FileCapability, HostDirectoryMode, HostFileMode } from "../../capabilities/capability.ts";
import type { DescribedFile } from "../../capabilities/functions/stub-text.ts";

const fileWords: Readonly<Record<HostFileMode, string>> = {
  read: "a file to read",
  write: "a file to write",
  append: "a file to append to",
  create: "a file to make",
  update: "a file to read and change",
};
const directoryWords: Readonly<Record<HostDirectoryMode, string>> = {
  read: "a folder to read",
  write: "a folder to read and change",
  "create-only": "a folder to add files to",
};

export function describePlaces(places: readonly (readonly [string, FileCapability])[]): DescribedFile[] {
  return places.map(([path, place]) => ({ path, description: wordsFor(place) }));
}

function wordsFor(place: FileCapability): string {
  switch (place.kind) {
    case "hostFile":
      return fileWords[place.mode];
    case "hostDirectory":
      return directoryWords[place.mode];
    case "memoryFile":
      return "a file to read";
    case "scratch":
      return "an empty folder to use";
    case "overlay":
      return "a folder to read and change";
    case "wrapped":
      return `${wordsFor(place.inner)}, within bounds`;
    case "tree":
      return place.root === "directory"
        ? "a folder"
        : place.root === "file"
          ? "a file"
          : "a file or a folder";
  }
}
