// Exit statuses of the command that are not the guest's own. Time-out and failure follow timeout(1).
export const exitStatus = {
  pythonError: 1,
  usage: 2,
  time: 124,
  lost: 125,
  brokenPipe: 141,
  limit: 126,
} as const;
