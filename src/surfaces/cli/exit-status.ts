// Exit statuses of the command that are not the guest's own. Time-out and failure follow timeout(1).
export const exitStatus = {
  pythonError: 1,
  usage: 2,
  /** The program ended well, and its changes could not be brought into the folder. */
  commit: 3,
  time: 124,
  lost: 125,
  brokenPipe: 141,
  limit: 126,
  /** As a limit: what the program had to say cannot be said. */
  unwritable: 126,
} as const;
