/**
 * Backtraces as current kernels and programs send them, shortened: the frames from the innermost outwards, and the
 * guilty.
 */
export interface FieldCase {
  name: string;
  frames: string[];
  /** `FUNCTION - [MODULE]` */
  guilty: string;
  /** As in `Case`, if it matters how. */
  steps?: string;
}

/** Frames without a module belong to the kernel. */
const KERNEL: FieldCase[] = [
  {
    name: 'a page fault of 6.x: all above the exception is doubted',
    frames: [
      '? show_regs.part.0',
      '? __die',
      '? page_fault_oops',
      '? do_user_addr_fault',
      '? exc_page_fault',
      '? asm_exc_page_fault',
      '? ring_pop',
      'ring_drain',
    ],
    guilty: 'ring_pop - [kernel]',
    steps: 'nnnnnnc',
  },
  {
    name: 'frames of anybody among the doubted ones do not count',
    frames: [
      '? __warn',
      '? stale_a',
      '? stale_b',
      '? report_bug',
      '? handle_bug',
      '? exc_invalid_op',
      '? asm_exc_invalid_op',
      '? demo_free',
      'demo_put',
    ],
    guilty: 'demo_free - [kernel]',
    steps: 'nhhnnnnc',
  },
  {
    name: 'thunks and the gaps before functions stand between an exception and its cause',
    frames: [
      '? exc_page_fault',
      '? srso_alias_return_thunk',
      '? asm_exc_page_fault',
      '? __pfx_worker',
      '? srso_return_thunk',
      '? demo_map',
      'demo_mmap',
    ],
    guilty: 'demo_map - [kernel]',
    steps: 'nnn-nc',
  },
  {
    name: 'a function that a fault of user space has called may crash itself',
    frames: [
      'dump_stack_lvl',
      'print_report',
      'kasan_report',
      'demo_fault',
      'handle_mm_fault',
      'do_user_addr_fault',
      'exc_page_fault',
      'asm_exc_page_fault',
    ],
    guilty: 'demo_fault - [kernel]',
    steps: 'nnnc',
  },
  {
    name: 'an exception with nothing below',
    frames: ['? demo_touch', '? exc_page_fault', '? asm_exc_page_fault'],
    guilty: 'demo_touch - [kernel]',
    steps: 'rnn',
  },
  {
    name: 'an oops on an old kernel',
    frames: [
      '__die',
      'no_context',
      '__bad_area_nosemaphore',
      'bad_area_nosemaphore',
      'do_page_fault',
      'page_fault',
      'demo_ioctl',
      'do_vfs_ioctl',
    ],
    guilty: 'demo_ioctl - [kernel]',
  },
  {
    name: 'markers, and a warning in an interrupt',
    frames: [
      '<IRQ>',
      'dump_stack_lvl',
      'panic',
      'watchdog_timer_fn',
      '? __pfx_watchdog_timer_fn',
      '__hrtimer_run_queues',
      'hrtimer_interrupt',
      '__sysvec_apic_timer_interrupt',
      'sysvec_apic_timer_interrupt',
      '</IRQ>',
      '<TASK>',
      'asm_sysvec_apic_timer_interrupt',
      'demo_poll',
      'kthread',
    ],
    guilty: 'demo_poll - [kernel]',
    steps: '-nnnnnnnn--nc',
  },
  {
    name: 'a crash of a timer is not put down to what it interrupted',
    frames: [
      'demo_timeout',
      'call_timer_fn',
      'run_timer_softirq',
      'handle_softirqs',
      'asm_sysvec_apic_timer_interrupt',
      'default_idle',
    ],
    guilty: 'demo_timeout - [kernel]',
  },
  {
    name: 'a hard lockup',
    frames: [
      '? nmi_panic',
      '? watchdog_overflow_callback',
      '? __perf_event_overflow',
      '? intel_pmu_handle_irq',
      '? default_do_nmi',
      '? exc_nmi',
      '? end_repeat_nmi',
      '? native_queued_spin_lock_slowpath',
      '_raw_spin_lock_irqsave',
      'demo_lock',
    ],
    guilty: 'demo_lock - [kernel]',
  },
  {
    name: 'lockdep',
    frames: [
      'dump_stack_lvl',
      'print_deadlock_bug.cold',
      'validate_chain',
      '__lock_acquire',
      'lock_acquire.part.0',
      '_raw_spin_lock_bh',
      'demo_xmit',
    ],
    guilty: 'demo_xmit - [kernel]',
  },
  {
    name: 'a hung task',
    frames: ['__schedule', 'schedule', 'rwsem_down_write_slowpath', 'down_write', 'demo_truncate', 'do_syscall_64'],
    guilty: 'demo_truncate - [kernel]',
  },
  {
    name: 'sleeping where it must not',
    frames: [
      'dump_stack_lvl',
      '__might_resched.cold',
      '__mutex_lock.constprop.0',
      'mutex_lock_nested',
      'demo_isr',
      '__handle_irq_event_percpu',
    ],
    guilty: 'demo_isr - [kernel]',
  },
  {
    name: 'a use after free that KASAN finds in a string function',
    frames: [
      'dump_stack_lvl',
      'print_address_description.constprop.0',
      'kasan_report',
      'kasan_check_range',
      '__asan_memcpy',
      'memcpy',
      'demo_name',
    ],
    guilty: 'demo_name - [kernel]',
  },
  {
    name: 'a broken slab',
    frames: ['dump_stack', 'object_err', 'free_debug_processing', '__slab_free', 'kfree', 'demo_release'],
    guilty: 'demo_release - [kernel]',
  },
  {
    name: 'arm64',
    frames: [
      'die_kernel_fault',
      '__do_kernel_fault',
      'do_page_fault',
      'do_translation_fault',
      'do_mem_abort',
      'el1_abort',
      'el1h_64_sync_handler',
      'el1h_64_sync',
      'demo_probe',
      'el0t_64_sync',
    ],
    guilty: 'demo_probe - [kernel]',
  },
  {
    name: 'powerpc, whose functions begin with a dot',
    frames: ['.warn_slowpath_fmt', '.assfail', '.demo_inode_free', '.kthread'],
    guilty: '.demo_inode_free - [kernel]',
  },
  {
    name: 'riscv',
    frames: [
      'die',
      'die_kernel_fault',
      'no_context',
      'handle_page_fault',
      'do_page_fault',
      'handle_exception',
      'demo_remove',
      'ret_from_exception',
    ],
    guilty: 'demo_remove - [kernel]',
  },
  {
    name: 'Rust in the kernel, mangled and named without what changes',
    frames: [
      'dump_stack_lvl',
      'panic',
      '_RNvCsaBcD12_7___rustc17rust_begin_unwind',
      '_RNvNtCsXyZ_4core9panicking9panic_fmt',
      '_RNvNtCs4321_4demo4ring3pop',
    ],
    guilty: '_RNvNtC4demo4ring3pop - [kernel]',
    steps: 'nnnnc',
  },
  {
    name: 'addresses instead of names',
    frames: ['0xffffffffc0a81234', '? 0xffffffffc0a85678', 'demo_init - [demo]'],
    guilty: 'demo_init - [demo]',
    steps: 'uuc',
  },
  {
    name: 'nothing but addresses',
    frames: ['0xffffffffc0a81234', 'do_syscall_64'],
    guilty: '??? - [kernel]',
    steps: 'un',
  },
  { name: 'nothing but a marker', frames: ['<TASK>'], guilty: '<TASK> - [kernel]', steps: '-' },
];

const ABORT = [
  '__pthread_kill_implementation.constprop.0() - [libc.so.6]',
  '__GI_raise() - [libc.so.6]',
  '__GI_abort() - [libc.so.6]',
];

/** Frames without a module belong to /usr/bin/app. */
const USER_SPACE: FieldCase[] = [
  {
    name: 'a heap that somebody broke, under old glibc',
    frames: [
      'raise() - [/lib64/libc-2.28.so]',
      'abort() - [/lib64/libc-2.28.so]',
      '__libc_message() - [/lib64/libc-2.28.so]',
      'malloc_printerr() - [/lib64/libc-2.28.so]',
      '_int_free() - [/lib64/libc-2.28.so]',
      'drop()',
    ],
    guilty: 'drop() - [/usr/bin/app]',
  },
  {
    name: 'a string function for some processor, with the file of the library',
    frames: [
      '__strlen_avx2() - [/usr/lib/x86_64-linux-gnu/libc.so.6 (deleted)]',
      '__vfprintf_internal() - [/usr/lib/x86_64-linux-gnu/libc.so.6 (deleted)]',
      'greet()',
    ],
    guilty: 'greet() - [/usr/bin/app]',
  },
  {
    name: 'fortified functions',
    frames: [
      ...ABORT,
      '__libc_message_impl.cold() - [libc.so.6]',
      '__GI___fortify_fail() - [libc.so.6]',
      '__GI___chk_fail() - [libc.so.6]',
      '___snprintf_chk() - [libc.so.6]',
      'label()',
    ],
    guilty: 'label() - [/usr/bin/app]',
  },
  {
    name: 'musl',
    frames: [
      'a_crash() - [/lib/ld-musl-x86_64.so.1]',
      'get_meta() - [/lib/ld-musl-x86_64.so.1]',
      '__libc_free() - [/lib/ld-musl-x86_64.so.1]',
      'free() - [/lib/libc.musl-x86_64.so.1]',
      'drop()',
    ],
    guilty: 'drop() - [/usr/bin/app]',
  },
  {
    name: 'a stripped program with a stripped library',
    frames: [
      '??? - [libc.so.6]',
      '??? - [/usr/lib/libfoo.so.2.1]',
      '???',
      '__libc_start_call_main() - [libc.so.6]',
      '__libc_start_main@@GLIBC_2.34() - [libc.so.6]',
      '_start()',
    ],
    guilty: '??? - [/usr/lib/libfoo.so.2.1]',
    steps: 'uuunnn',
  },
  {
    name: 'nothing known but runtime libraries',
    frames: ['??? - [ld-linux-x86-64.so.2]', '??? - [libstdc++.so.6]', 'start_thread() - [libpthread-2.28.so]'],
    guilty: '??? - [ld-linux-x86-64.so.2]',
  },
  {
    name: 'a frame of which nothing is known says less than one with a module',
    frames: [...ABORT, '(no symbols)', '???', 'start_thread() - [libc.so.6]', '__clone3() - [libc.so.6]'],
    guilty: '??? - [/usr/bin/app]',
    steps: 'nnnuunn',
  },
  {
    name: 'a frame of which nothing is known does not end the backtrace',
    frames: ['(no symbols) - /src/x.c:3', 'main()'],
    guilty: 'main() - [/usr/bin/app]',
  },
  {
    name: 'a thread of C++',
    frames: [
      '???',
      'execute_native_thread_routine() - [libstdc++.so.6]',
      'start_thread() - [libc.so.6]',
      'clone() - [libc.so.6]',
    ],
    guilty: '??? - [/usr/bin/app]',
  },
  {
    name: 'the handler of a signal',
    frames: [
      'kill() - [libc.so.6]',
      'on_crash() - [/usr/lib/systemd/systemd]',
      '__restore_rt() - [libc.so.6]',
      'job_free() - [/usr/lib/systemd/systemd]',
    ],
    guilty: 'job_free() - [/usr/lib/systemd/systemd]',
    steps: 'nhnc',
  },
  {
    name: 'the same on arm64, where the vdso has the trampoline',
    frames: [
      'waitpid() - [libc.so.6]',
      'report()',
      '__kernel_rt_sigreturn() - [[vdso: 77]]',
      '__GI_abort() - [libc.so.6]',
      'job_free()',
    ],
    guilty: 'job_free() - [/usr/bin/app]',
    steps: 'hhnnc',
  },
  {
    name: 'a signal that interrupts the handler of another',
    frames: [
      'raise() - [libc.so.6]',
      'on_crash()',
      '__restore_rt() - [libc.so.6]',
      'on_child()',
      '__restore_rt() - [libc.so.6]',
      'poll() - [libc.so.6]',
    ],
    guilty: 'on_child() - [/usr/bin/app]',
  },
  {
    name: 'a handler below which nothing is',
    frames: ['on_crash()', '__restore_rt() - [libc.so.6]'],
    guilty: 'on_crash() - [/usr/bin/app]',
    steps: 'c',
  },
  {
    name: 'a handler below which only start code is',
    frames: [
      'kill() - [libc.so.6]',
      'on_crash()',
      '__restore_rt() - [libc.so.6]',
      'start_thread() - [libc.so.6]',
      'clone3() - [libc.so.6]',
    ],
    guilty: 'on_crash() - [/usr/bin/app]',
    steps: 'nc',
  },
  {
    name: 'the vdso',
    frames: ['__vdso_clock_gettime() - [[vdso: 4242]]', 'clock_demo() - [linux-vdso.so.1]', 'tick()'],
    guilty: 'tick() - [/usr/bin/app]',
  },
  {
    name: 'a panic of Rust',
    frames: [
      ...ABORT,
      '_ZN3std3sys3pal4unix14abort_internal17h0123456789abcdefE()',
      '_ZN3std9panicking20rust_panic_with_hook17h0123456789abcdefE()',
      '_ZN3std3sys9backtrace26__rust_end_short_backtrace17h0123456789abcdefE()',
      'rust_begin_unwind()',
      '_ZN4core6option13unwrap_failed17h0123456789abcdefE()',
      '_ZN3app5parse17h0123456789abcdefE()',
    ],
    guilty: 'app::parse - [/usr/bin/app]',
  },
  {
    name: 'a panic of Rust with v0 mangling',
    frames: [
      '_RNvCs1_7___rustc17rust_begin_unwind()',
      '_RNvNtCs2_4core9panicking9panic_fmt()',
      '_RNvNtCs3_3app3row4read()',
    ],
    guilty: 'app::row::read - [/usr/bin/app]',
  },
  {
    name: 'Go, which dies by its own hand',
    frames: [
      'runtime.raise.abi0()',
      'runtime.dieFromSignal()',
      'runtime.sigfwdgo()',
      'runtime.sigtrampgo()',
      'runtime.sigtramp.abi0()',
      '__restore_rt() - [libc.so.6]',
      'main.(*Queue[go.shape.int]).push()',
      'runtime.main()',
      'runtime.goexit.abi0()',
    ],
    guilty: 'main.(*Queue[go.shape.int]).push() - [/usr/bin/app]',
  },
  {
    name: 'Go without libc',
    frames: ['runtime.throw()', 'runtime.mapassign_faststr()', 'main.store()'],
    guilty: 'main.store() - [/usr/bin/app]',
  },
  {
    name: 'an exception of C++ in a program that brings its runtime',
    frames: [
      '_ZN9__gnu_cxx27__verbose_terminate_handlerEv()',
      '_ZN10__cxxabiv111__terminateEPFvvE()',
      '_ZSt9terminatev()',
      '__cxa_throw()',
      '_ZSt20__throw_length_errorPKc()',
      '_ZN3app4growEv()',
    ],
    guilty: 'app::grow() - [/usr/bin/app]',
  },
  {
    name: 'delete of something broken',
    frames: ['_ZdlPvm() - [libstdc++.so.6]', '_ZN3app4dropEv()'],
    guilty: 'app::drop() - [/usr/bin/app]',
  },
  {
    name: 'a cast of something broken',
    frames: [
      '_ZNK10__cxxabiv120__si_class_type_info12__do_dyncastElNS_17__class_type_info10__sub_kindEPKS1_PKvS4_S6_RNS1_16__dyncast_resultE() - [libstdc++.so.6]',
      '__dynamic_cast() - [libstdc++.so.6]',
      '_ZN3app4castEv()',
    ],
    guilty: 'app::cast() - [/usr/bin/app]',
  },
  {
    name: 'a sanitizer',
    frames: [
      '__interceptor_free() - [libasan.so.9]',
      '_ZN11__sanitizer5AbortEv() - [libasan.so.9]',
      '__asan_report_load8()',
      'use()',
    ],
    guilty: 'use() - [/usr/bin/app]',
  },
  {
    name: 'GLib, in a stripped program',
    frames: [
      'g_logv() - [libglib-2.0.so.0]',
      'g_log() - [libglib-2.0.so.0]',
      '???',
      'g_closure_invoke() - [libgobject-2.0.so.0]',
      'signal_emit_unlocked_R.isra.0() - [libgobject-2.0.so.0]',
      'g_main_dispatch() - [libglib-2.0.so.0]',
      'g_main_context_iterate.isra.0() - [libglib-2.0.so.0]',
      'g_main_loop_run() - [libglib-2.0.so.0]',
      'gtk_main() - [libgtk-3.so.0]',
      '__libc_start_main() - [libc.so.6]',
    ],
    guilty: '??? - [/usr/bin/app]',
  },
  {
    name: 'Qt',
    frames: [
      ...ABORT,
      '_ZL16qt_message_fatal9QtMsgTypeRK18QMessageLogContextRK7QString() - [/opt/qt/lib/libQt6Core.so.6.7.2]',
      '_ZNK14QMessageLogger5fatalEPKcz() - [/opt/qt/lib/libQt6Core.so.6.7.2]',
      '_ZN5Views4openEv()',
    ],
    guilty: 'Views::open() - [/usr/bin/app]',
  },
  {
    name: 'X',
    frames: [
      ...ABORT,
      '??? - [libglib-2.0.so.0]',
      '_gdk_x11_display_error_event() - [libgdk-3.so.0]',
      '_XError() - [libX11.so.6]',
      'handle_response() - [libX11.so.6.4.0]',
      '_XReply() - [libX11.so.6]',
      'set_cursor()',
    ],
    guilty: 'set_cursor() - [/usr/bin/app]',
  },
  {
    name: 'systemd asserts',
    frames: [
      ...ABORT,
      'log_assert_failed() - [/usr/lib/systemd/libsystemd-shared-255.so]',
      'unit_free() - [/usr/lib/systemd/systemd]',
    ],
    guilty: 'unit_free() - [/usr/lib/systemd/systemd]',
  },
  {
    name: 'the JVM',
    frames: [
      ...ABORT,
      '_ZN2os5abortEbPvPKv() - [/opt/jdk/lib/server/libjvm.so]',
      '_ZN7VMError14report_and_dieEP6ThreadjPhPvS3_() - [/opt/jdk/lib/server/libjvm.so]',
      'JVM_handle_linux_signal() - [/opt/jdk/lib/server/libjvm.so]',
      '__restore_rt() - [libc.so.6]',
      'Java_demo_Native_call() - [libdemo.so]',
    ],
    guilty: 'Java_demo_Native_call() - [libdemo.so]',
  },
  {
    name: 'an extension of Python without symbols',
    frames: [
      '??? - [demo.cpython-312-x86_64-linux-gnu.so]',
      'cfunction_vectorcall_FASTCALL() - [libpython3.12.so.1.0]',
      '_PyEval_EvalFrameDefault() - [/usr/bin/python3.12]',
      'Py_BytesMain() - [/usr/bin/python3.12]',
    ],
    guilty: '??? - [demo.cpython-312-x86_64-linux-gnu.so]',
  },
  {
    name: 'Node',
    frames: [
      '_ZN4node5AbortEv() - [/usr/bin/node]',
      '_ZN4node12OnFatalErrorEPKcS1_() - [/usr/bin/node]',
      '_ZN2v85Utils16ReportApiFailureEPKcS2_() - [/usr/bin/node]',
      '_ZN4demo4callEv() - [/app/build/demo.node]',
      'uv_run() - [/usr/bin/node]',
    ],
    guilty: 'demo::call() - [/app/build/demo.node]',
  },
  {
    name: 'a check of Chromium',
    frames: [
      '_ZN7logging15CheckLogMessageD2Ev() - [/opt/browser/browser]',
      '_ZN7logging10CheckErrorD1Ev() - [/opt/browser/browser]',
      '_ZN4demo4drawEv() - [/opt/browser/browser]',
    ],
    guilty: 'demo::draw() - [/opt/browser/browser]',
  },
];

export const FIELD_CASES: (FieldCase & { kernel: boolean })[] = [
  ...KERNEL.map(found => ({ ...found, kernel: true })),
  ...USER_SPACE.map(found => ({ ...found, kernel: false })),
];
