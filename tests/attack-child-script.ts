// The command that a mocked process wall starts. Apart from what uses it: a mock must not import what imports it.
export const child: { script: string } = { script: "" };

export const confinedCommand = () => ({ command: process.execPath, args: [child.script], nested: false });
