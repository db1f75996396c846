/** A kind of crash of the fleet's programs. */
export interface Signature {
  program: string;
  signal: number;
  /** The crashing thread comes first; every frame is `FUNCTION MODULE [SOURCE]` or an `@abbreviation`. */
  threads: string[][];
  /** Only on this operating system. */
  os?: string;
  /** Only with builds that have this fault. */
  regression?: string;
}

const MOST_FRAMES = 64;

const ABBREVIATIONS: Record<string, string[]> = {
  '@abort': [
    '__pthread_kill_implementation libc.so.6 ./nptl/pthread_kill.c:44',
    'raise libc.so.6 ../sysdeps/posix/raise.c:26',
    'abort libc.so.6 ./stdlib/abort.c:79',
  ],
  '@malloc': [
    '@abort',
    '__libc_message_impl libc.so.6 ../sysdeps/posix/libc_fatal.c:132',
    'malloc_printerr libc.so.6 ./malloc/malloc.c:5772',
  ],
  '@throw': [
    '@abort',
    '??? libstdc++.so.6',
    '??? libstdc++.so.6',
    '_ZSt9terminatev libstdc++.so.6',
    '__cxa_throw libstdc++.so.6',
  ],
  '@thread': [
    'start_thread libc.so.6 ./nptl/pthread_create.c:447',
    '__clone3 libc.so.6 ../sysdeps/unix/sysv/linux/x86_64/clone3.S:78',
  ],
  '@start': [
    '__libc_start_call_main libc.so.6 ../sysdeps/nptl/libc_start_call_main.h:58',
    '__libc_start_main@@GLIBC_2.34 libc.so.6 ../csu/libc-start.c:360',
    '_start $program',
  ],
  '@poll': ['__poll libc.so.6 ../sysdeps/unix/sysv/linux/poll.c:29'],
  '@wait': [
    '__futex_abstimed_wait_common libc.so.6 ./nptl/futex-internal.c:87',
    'pthread_cond_wait@@GLIBC_2.3.2 libc.so.6 ./nptl/pthread_cond_wait.c:503',
  ],
  '@glib': [
    'g_main_dispatch libglib-2.0.so.0 ../glib/gmain.c:3344',
    'g_main_context_iterate_unlocked libglib-2.0.so.0 ../glib/gmain.c:4217',
    'g_main_loop_run libglib-2.0.so.0 ../glib/gmain.c:4419',
  ],
  '@qt': [
    '_ZN16QCoreApplication15notifyInternal2EP7QObjectP6QEvent libQt6Core.so.6',
    '_ZN23QCoreApplicationPrivate16sendPostedEventsEP7QObjectiP11QThreadData libQt6Core.so.6',
    '_ZN10QEventLoop4execE6QFlagsINS_17ProcessEventsFlagEE libQt6Core.so.6',
    '_ZN16QCoreApplication4execEv libQt6Core.so.6',
  ],
};

/** The payload of a crash, with `{pid}` slots; `olderLibc` shifts libc's line numbers, as on other systems. */
export function crashText({ program, signal, threads }: Signature, olderLibc: boolean): string {
  const all = threads.map(frames => frames.flatMap(expand));
  const truncated = all.some(frames => frames.length > MOST_FRAMES);
  const backtraces = all.map((frames, thread) => {
    const tid = thread === 0 ? '{pid}' : `{pid+${thread}}`;
    const lines = frames.slice(0, MOST_FRAMES).map((frame, n) => frameLine(frame, n, program, olderLibc));
    return `Backtrace (TID ${tid}):\n${lines.join('\n')}\n`;
  });
  return [
    `Process: ${program}\nPID: {pid}\nSignal: ${signal}\n`,
    truncated ? 'Too many frames. Backtrace truncated.\n' : '',
    `\n${backtraces.join('\n')}`,
  ].join('');
}

/** `30 × FRAME` means the frame thirty times. */
function expand(frame: string): string[] {
  const repeated = /^(\d+) × (.+)$/.exec(frame);
  if (repeated) return Array.from({ length: Number(repeated[1]) }, () => repeated[2]!);
  const frames = ABBREVIATIONS[frame];
  return frames ? frames.flatMap(expand) : [frame];
}

function frameLine(frame: string, number: number, program: string, olderLibc: boolean): string {
  const [name, module, source] = frame.split(' ') as [string, string, string?];
  const symbol = name === '???' ? name : `${name}()`;
  const line = `#${number} ${symbol} - [${module === '$program' ? program : module}]`;
  if (!source) return line;
  return `${line} - ${olderLibc && module === 'libc.so.6' ? olderLine(source) : source}`;
}

function olderLine(source: string): string {
  const colon = source.lastIndexOf(':') + 1;
  const line = Number(source.slice(colon));
  return source.slice(0, colon) + Math.max(1, line - (line % 7) - 2);
}
