// Sockets that exist and reach nobody. Nothing here looks at a host, name or address of the real world; the errors are
// those of a machine whose network is down.
import { eai, errno } from "../../abi/errno.ts";
import { socket as kinds, open } from "../../abi/flags.ts";
import { InertSocket } from "../inert-socket.ts";
import type { Kernel } from "../kernel.ts";
import { fail } from "../kernel-error.ts";
import { tell } from "../refusals.ts";

/** NI_MAXHOST is 255 in musl (netdb.h). */
const maxHostBytes = 255;

/** socket(2): (family, type|flags, protocol, 0, 0, 0). */
export function socket(kernel: Kernel, family: number, typeAndFlags: number, protocol: number): number {
  const { process } = kernel;
  if (family !== kinds.AF_INET && family !== kinds.AF_INET6) fail("EAFNOSUPPORT");
  const type = typeAndFlags & kinds.TYPE_MASK;
  if (type !== kinds.STREAM && type !== kinds.DATAGRAM) fail("EPROTONOSUPPORT");
  // IPPROTO_TCP 6, IPPROTO_UDP 17.
  if (protocol !== 0 && protocol !== (type === kinds.STREAM ? 6 : 17)) fail("EPROTONOSUPPORT");
  const make = (): InertSocket => {
    const place = { ino: process.anonymousIno(), madeNs: process.clocks.wallNs() };
    const made = new InertSocket(family, type, place);
    if (typeAndFlags & open.NONBLOCK) made.flags |= open.NONBLOCK;
    return made;
  };
  return process.fds.open(make, (typeAndFlags & open.CLOEXEC) !== 0);
}

function socketAt(kernel: Kernel, fd: number): InertSocket {
  const file = kernel.process.fds.get(fd);
  return file instanceof InertSocket ? file : fail("ENOTSOCK");
}

export function connect(kernel: Kernel, fd: number): number {
  socketAt(kernel, fd);
  return fail("ENETUNREACH");
}

/** bind(2) and listen(2): no address is the guest's to take. */
export function refuseListening(kernel: Kernel, fd: number): number {
  socketAt(kernel, fd);
  return fail("EACCES");
}

export function accept(kernel: Kernel, fd: number): number {
  return fail(socketAt(kernel, fd).isStream ? "EINVAL" : "EOPNOTSUPP");
}

export function peerName(kernel: Kernel, fd: number): number {
  socketAt(kernel, fd);
  return fail("ENOTCONN");
}

/** getsockname(2): (fd, sockaddr*, socklen*): the unbound address, port 0. */
export function ownName(kernel: Kernel, fd: number, address: number, lengthAddress: number): number {
  const { memory } = kernel;
  const { family } = socketAt(kernel, fd);
  const room = memory.getU32(lengthAddress);
  const name = new Uint8Array(family === kinds.AF_INET ? 16 : 28);
  name[0] = family;
  const shown = name.subarray(0, room);
  if (shown.length > 0) memory.slice(address, shown.length).set(shown);
  memory.setU32(lengthAddress, name.length);
  return 0;
}

/** getsockopt(2): (fd, level, name, value*, length*): SO_TYPE 3, SO_ERROR 4 and the plain on/off options, which are off. */
export function option(
  kernel: Kernel,
  fd: number,
  level: number,
  name: number,
  value: number,
  lengthAddress: number,
): number {
  const { memory } = kernel;
  const file = socketAt(kernel, fd);
  memory.check(lengthAddress, 4);
  memory.check(value, 4);
  if (memory.getU32(lengthAddress) < 4) fail("EINVAL");
  // SOL_SOCKET 1.
  if (level !== 1) fail("ENOPROTOOPT");
  memory.setI32(value, name === 3 ? file.type : 0);
  memory.setU32(lengthAddress, 4);
  return 0;
}

export function receive(kernel: Kernel, fd: number): number {
  return socketAt(kernel, fd).read();
}

export function send(kernel: Kernel, fd: number): number {
  return socketAt(kernel, fd).write();
}

/** getaddrinfo(3): (name*, service*, hints*, result**). */
export function lookUpNothing(kernel: Kernel, name: number, service: number): number {
  if (name !== 0) tellLookUp(kernel, name, service);
  return eai.NONAME;
}

/** _emscripten_lookup_name, of gethostbyname(3): 0 is no address. */
export function lookUpName(kernel: Kernel, name: number): number {
  tellLookUp(kernel, name, 0);
  return 0;
}

function tellLookUp(kernel: Kernel, name: number, service: number): void {
  tell(kernel, (memory) => {
    const host = memory.readByteString(name, maxHostBytes);
    const port = service === 0 ? "" : memory.readByteString(service, maxHostBytes);
    if (host === undefined) return undefined;
    const number = /^\d{1,5}$/.test(port ?? "") ? Number(port) : 0;
    const known = number <= 65_535 ? number : 0;
    return { kind: "network", access: "resolve", host, port: known, errno: errno.EHOSTUNREACH };
  });
}

export function nameOfNothing(): number {
  return eai.FAMILY;
}
