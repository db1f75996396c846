import { KERNEL } from '../dialects/frame.ts';
import type { FrameName } from './names.ts';

/** What some frames and modules mean, regardless of the never-guilty list. The names are in the compared form. */

/** Where the kernel lets a signal handler return to, by C library and architecture, and in gdb's spelling. */
const SIGNAL_TRAMPOLINES = new Set([
  '__restore_rt()',
  '__restore()',
  '__default_sa_restorer()',
  '__default_rt_sa_restorer()',
  '__kernel_rt_sigreturn()',
  '__kernel_sigreturn()',
  '__kernel_sigtramp_rt64()',
  '__kernel_sigtramp_rt32()',
  '__kernel_sigtramp32()',
  '__vdso_rt_sigreturn()',
  '__vdso_sigreturn()',
  'runtime.sigreturn()',
  'runtime.sigreturn__sigaction()',
  '<signal handler called>',
]);

/** Where a processor enters the kernel because the kernel itself caused an exception. Interrupts are not among them. */
const EXCEPTION_ENTRIES = [
  // x86 since 5.8, and before
  /^(?:asm_)?(?:xenpv_)?exc_\w+$/,
  /^(?:async_)?page_fault$|^(?:general_protection|invalid_op|divide_error|overflow|bounds|device_not_available|double_fault)$/,
  /^(?:invalid_TSS|segment_not_present|stack_segment|alignment_check|(?:simd_)?coprocessor_error|machine_check|int3|nmi)$/,
  /^(?:end_repeat_nmi|error_entry|error_code|common_exception)$/,
  // arm64 and arm
  /^el1[ht]?_(?!\w*(?:irq|fiq))\w+$/,
  /^__(?:dabt|pabt|und)_svc$/,
  // powerpc
  /^(?:data|instruction)_access_(?:slb_)?common(?:_virt|_real)?$/,
  /^(?:program_check|alignment|machine_check|system_reset)_common(?:_virt|_real)?$/,
  // riscv, i386; s390; loongarch and mips
  /^handle_exception$/,
  /^(?:__do_)?pgm_check(?:_handler)?$/,
  /^handle_(?:ade[ls]?|ale|bp|fpe|ri|tlb_\w+)(?:_int)?$/,
];

/**
 * Where the crash was interrupted: the frames before a signal's trampoline belong to its handler, and those before the
 * entry of an exception to the kernel's handling of it.
 */
export type Landmark = 'signal' | 'exception';

export function landmarkOf({ function: name, module }: FrameName): Landmark | undefined {
  if (SIGNAL_TRAMPOLINES.has(name)) return 'signal';
  return module === KERNEL && EXCEPTION_ENTRIES.some(names => names.test(name)) ? 'exception' : undefined;
}

const RUNTIME_LIBRARY =
  /^(?:(?:libc|libm|libmvec|libdl|librt|libpthread|libstdc\+\+|libc\+\+|libc\+\+abi|libgcc_s|libunwind)\.so|ld-|ld64\.so|linux-(?:vdso|gate)|\[vdso\]$|lib(?:asan|ubsan|tsan|lsan)\.so)/;

/** Every program runs on these, so they say nothing about it. The same is true of a frame without a module. */
export function isRuntimeLibrary({ module }: FrameName): boolean {
  return module === '' || RUNTIME_LIBRARY.test(module);
}
