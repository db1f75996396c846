import { dlopen, FFIType, ptr } from 'bun:ffi';
import type { Log } from './log.ts';

/** Reports the state of the service to systemd. Does nothing unless systemd started it with Type=notify. */
interface ServiceManager {
  /** The start takes time: systemd waits on until `ready`. */
  starting(): void;
  /** The service takes requests. From now on the watchdog is fed, if the unit has one. */
  ready(): void;
  stopping(): void;
}

const EXTEND_EVERY_MS = 5_000;
const EXTEND_USEC = 60_000_000;

/** Reads and removes the variables of sd_notify(3) and sd_watchdog_enabled(3), so that no child acts as the service. */
export function serviceManager(log: Log, env: NodeJS.ProcessEnv = process.env): ServiceManager {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdogUsec, WATCHDOG_PID: watchdogPid } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (!socket) return { starting() {}, ready() {}, stopping() {} };

  const send = (message: string) => {
    if (!sendDatagram(socket, message)) log.warn('systemd could not be notified', { message, socket });
  };
  const fed = watchdogPid === undefined || watchdogPid === String(process.pid);
  const watchdogMs = fed && watchdogUsec ? Number(watchdogUsec) / 1000 : 0;
  let extending: NodeJS.Timeout | undefined;
  let feeding: NodeJS.Timeout | undefined;
  return {
    starting() {
      const extend = () => send(`EXTEND_TIMEOUT_USEC=${EXTEND_USEC}\nSTATUS=Starting`);
      extend();
      extending = setInterval(extend, EXTEND_EVERY_MS);
    },
    ready() {
      clearInterval(extending);
      send('READY=1\nSTATUS=Taking records');
      // Fed from the event loop: if the loop hangs, systemd restarts the service.
      if (watchdogMs > 0) feeding = setInterval(() => send('WATCHDOG=1'), watchdogMs / 3);
    },
    stopping() {
      clearInterval(extending);
      clearInterval(feeding);
      send('STOPPING=1\nSTATUS=Stopping');
    },
  };
}

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;

/** node:dgram has no unix sockets. A leading `@` stands for the NUL of an abstract address. */
function sendDatagram(path: string, text: string): boolean {
  const { symbols, close } = dlopen('libc.so.6', {
    socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    sendto: {
      args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32, FFIType.ptr, FFIType.u32],
      returns: FFIType.i64,
    },
    close: { args: [FFIType.i32], returns: FFIType.i32 },
  });
  const name = Buffer.from(path);
  if (path.startsWith('@')) name[0] = 0;
  const address = Buffer.alloc(2 + name.length + (name[0] === 0 ? 0 : 1));
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  const message = Buffer.from(text);
  const fd = symbols.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  try {
    const sent = symbols.sendto(fd, ptr(message), message.length, MSG_NOSIGNAL, ptr(address), address.length);
    return Number(sent) === message.length;
  } finally {
    symbols.close(fd);
    close();
  }
}
