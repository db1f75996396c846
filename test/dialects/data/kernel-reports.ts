/** Reports as kernels of several versions, processors and distributions write them, with made-up functions. */
export interface KernelCase {
  name: string;
  text: string;
  reason: string | null;
  /** `FUNCTION [MODULE]`, `[kernel]` left out. */
  frames: string[];
  /** The same, with the starter list. */
  guilty: string | null;
  kernel?: string;
  tainted?: string;
}

const X86: KernelCase[] = [
  {
    name: 'Debian 12, 6.1: an oops, whose RIP the trace repeats in doubt',
    text: `BUG: kernel NULL pointer dereference, address: 0000000000000118
#PF: supervisor read access in kernel mode
#PF: error_code(0x0000) - not-present page
PGD 0 P4D 0
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 3 PID: 4711 Comm: mount Tainted: G        W  OE      6.1.0-13-amd64 #1  Debian 6.1.55-1
Hardware name: Example Server/X1, BIOS 1.2 01/02/2020
RIP: 0010:demo_open+0x1c/0x80 [demo]
Code: 00 00 0f 1f 44 00 00 41 54 <48> 8b 87 18 01 00 00
RSP: 0018:ffffb63bc1e67ef0 EFLAGS: 00010246
RAX: 0000000000000000 RBX: ffff8e61463d6e40 RCX: 0000000000000002
R10: 0000000000000000 R11: 0000000000000000 R12: 0000000000000001
FS:  00007f87fc016740(0000) GS:ffff8e68a2600000(0000) knlGS:0000000000000000
CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033
CR2: 0000000000000118 CR3: 000000010cc22004 CR4: 00000000003706f0
Call Trace:
 <TASK>
 ? __die_body.cold+0x1a/0x1f
 ? page_fault_oops+0xae/0x280
 ? exc_page_fault+0x71/0x170
 ? asm_exc_page_fault+0x22/0x30
 ? demo_open+0x1c/0x80 [demo]
 demo_lookup+0x41/0x90 [demo]
 do_syscall_64+0x5b/0xc0
 entry_SYSCALL_64_after_hwframe+0x64/0xce
RIP: 0033:0x7f5a1b2c3d4e
RSP: 002b:00007ffd1 EFLAGS: 00000246 ORIG_RAX: 0000000000000101
 </TASK>
Modules linked in: demo(OE) ext4
CR2: 0000000000000118
---[ end trace 0000000000000000 ]---
RIP: 0010:demo_open+0x1c/0x80 [demo]
`,
    reason: 'BUG: kernel NULL pointer dereference, address: 0000000000000118',
    frames: ['demo_open [demo]', 'demo_lookup [demo]', 'do_syscall_64', 'entry_SYSCALL_64_after_hwframe'],
    guilty: 'demo_open [demo]',
    kernel: '6.1.0-13-amd64',
    tainted: 'G W OE',
  },
  {
    name: 'Debian, 5.2: a jump to nowhere, through syslog',
    text: `Aug 13 12:28:38 kernel: [ 3846.639479] BUG: kernel NULL pointer dereference, address: 0000000000000000
Aug 13 12:28:38 kernel: [ 3846.639485] Oops: 0010 [#12] SMP PTI
Aug 13 12:28:38 kernel: [ 3846.639486] CPU: 0 PID: 5454 Comm: demo Tainted: G      D    OE     5.2.0-2-amd64 #1 Debian 5.2.7-1
Aug 13 12:28:38 kernel: [ 3846.639489] RIP: 0010:0x0
Aug 13 12:28:38 kernel: [ 3846.639491] Code: Bad RIP value.
Aug 13 12:28:38 kernel: [ 3846.639492] RSP: 0018:ffffa09c87677cd8 EFLAGS: 00010246
Aug 13 12:28:38 kernel: [ 3846.639500] Call Trace:
Aug 13 12:28:38 kernel: [ 3846.639501]  demo_dispatch+0x3e/0x70
Aug 13 12:28:38 kernel: [ 3846.639502]  do_syscall_64+0x53/0x140
Aug 13 12:28:38 kernel: [ 3846.639503] Modules linked in: demo
`,
    reason: 'BUG: kernel NULL pointer dereference, address: 0000000000000000',
    frames: ['???', 'demo_dispatch', 'do_syscall_64'],
    guilty: 'demo_dispatch',
    kernel: '5.2.0-2-amd64',
    tainted: 'G D OE',
  },
  {
    name: 'Fedora 41, 6.12: general protection fault, from journalctl',
    text: `Feb 21 16:28:52 fedora kernel: Oops: general protection fault, probably for non-canonical address 0xdead000000000108: 0000 [#1] PREEMPT SMP PTI
Feb 21 16:28:52 fedora kernel: CPU: 2 UID: 42 PID: 3901 Comm: demo Tainted: G           OE      6.12.15-200.fc41.x86_64 #1
Feb 21 16:28:52 fedora kernel: Tainted: [O]=OOT_MODULE, [E]=UNSIGNED_MODULE
Feb 21 16:28:52 fedora kernel: RIP: 0010:__list_del_entry_valid_or_report+0x5/0x120
Feb 21 16:28:52 fedora kernel: Call Trace:
Feb 21 16:28:52 fedora kernel:  <TASK>
Feb 21 16:28:52 fedora kernel:  ? show_trace_log_lvl+0x255/0x2f0
Feb 21 16:28:52 fedora kernel:  ? __die_body.cold+0x8/0x12
Feb 21 16:28:52 fedora kernel:  ? die_addr+0x3c/0x60
Feb 21 16:28:52 fedora kernel:  ? exc_general_protection+0x17d/0x400
Feb 21 16:28:52 fedora kernel:  ? asm_exc_general_protection+0x26/0x30
Feb 21 16:28:52 fedora kernel:  ? __list_del_entry_valid_or_report+0x5/0x120
Feb 21 16:28:52 fedora kernel:  demo_unlink+0x45/0x90 [demo]
Feb 21 16:28:52 fedora kernel:  demo_release+0x10/0x30 [demo]
Feb 21 16:28:52 fedora kernel:  </TASK>
`,
    reason:
      'Oops: general protection fault, probably for non-canonical address 0xdead000000000108: 0000 [#1] PREEMPT SMP PTI',
    frames: ['__list_del_entry_valid_or_report', 'demo_unlink [demo]', 'demo_release [demo]'],
    guilty: 'demo_unlink [demo]',
    kernel: '6.12.15-200.fc41.x86_64',
    tainted: 'G OE',
  },
  {
    name: 'Arch, 6.9: refcount, with the id of the build behind the module',
    text: `<4>[   12.345678] ------------[ cut here ]------------
<4>[   12.345679] refcount_t: underflow; use-after-free.
<4>[   12.345680] WARNING: CPU: 1 PID: 9 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110
<4>[   12.345681] Modules linked in: demo
<4>[   12.345682] CPU: 1 PID: 9 Comm: kworker/1:0 Not tainted 6.9.3-arch1-1 #1 aabbccddeeff00112233445566778899aabbccdd
<4>[   12.345683] RIP: 0010:refcount_warn_saturate+0xba/0x110
<4>[   12.345684] Call Trace:
<4>[   12.345685]  <TASK>
<4>[   12.345686]  ? refcount_warn_saturate+0xba/0x110
<4>[   12.345687]  ? __warn.cold+0x8e/0xe8
<4>[   12.345688]  ? report_bug+0xff/0x140
<4>[   12.345689]  ? handle_bug+0x3c/0x80
<4>[   12.345690]  ? exc_invalid_op+0x17/0x70
<4>[   12.345691]  ? asm_exc_invalid_op+0x1a/0x20
<4>[   12.345692]  ? refcount_warn_saturate+0xba/0x110
<4>[   12.345693]  demo_put+0x10/0x20 [demo 6f1e2d3c4b5a69788796a5b4c3d2e1f001122334]
<4>[   12.345694]  process_one_work+0x18b/0x350
<4>[   12.345695]  </TASK>
<4>[   12.345696] ---[ end trace 0000000000000000 ]---
`,
    reason: 'WARNING: CPU: 1 PID: 9 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110',
    frames: ['refcount_warn_saturate', 'demo_put [demo]', 'process_one_work'],
    guilty: 'demo_put [demo]',
    kernel: '6.9.3-arch1-1',
    tainted: 'Not tainted',
  },
  {
    name: 'CentOS 7, 3.10: addresses, with and without a doubt',
    text: `[ 5797.598826] BUG: unable to handle kernel NULL pointer dereference at 000000000000000a
[ 5797.607974] IP: [<ffffffffc0841d99>] demo_trace+0x19/0x240 [demo]
[ 5797.616049] PGD 0 
[ 5797.619308] Oops: 0000 [#1] SMP 
[ 5797.623788] Modules linked in: demo(OE) brd
[ 5797.730719] CPU: 67 PID: 0 Comm: swapper/67 Tainted: G           OE  ------------   3.10.0-693.el7.x86_64 #1
[ 5797.740000] RIP: 0010:[<ffffffffc0841d99>]  [<ffffffffc0841d99>] demo_trace+0x19/0x240 [demo]
[ 5797.750000] RSP: 0018:ffff88085e8c3d40  EFLAGS: 00010246
[ 5797.760000] Stack:
[ 5797.761000]  ffff88085e8c3d60 ffffffff810b1234
[ 5797.770000] Call Trace:
[ 5797.770001]  <IRQ> 
[ 5797.770002]  [<ffffffff810b1234>] ? demo_stale+0x14/0x20
[ 5797.770003]  [<ffffffffc0842000>] demo_complete+0x30/0x60 [demo]
[ 5797.770004]  <EOI> 
[ 5797.770005]  [<ffffffff8102d000>] default_idle+0x20/0xc0
[ 5797.770006] Code: 48 89 e5
[ 5797.770007] RIP  [<ffffffffc0841d99>] demo_trace+0x19/0x240 [demo]
[ 5797.770008]  RSP <ffff88085e8c3d40>
`,
    reason: 'BUG: unable to handle kernel NULL pointer dereference at 000000000000000a',
    frames: ['demo_trace [demo]', 'demo_complete [demo]', 'default_idle'],
    guilty: 'demo_trace [demo]',
    kernel: '3.10.0-693.el7.x86_64',
  },
  {
    name: 'Ubuntu 24.04, 6.8: a soft lockup, whose trace is that of the watchdog and of what it interrupted',
    text: `watchdog: BUG: soft lockup - CPU#2 stuck for 22s! [demo:77]
Modules linked in: demo
CPU: 2 PID: 77 Comm: demo Not tainted 6.8.0-55-generic #57-Ubuntu
RIP: 0010:native_queued_spin_lock_slowpath+0x84/0x2a0
Code: 85 c0 75 f2
RSP: 0018:ffffb5c8c0003e98 EFLAGS: 00000202
Call Trace:
 <IRQ>
 ? show_regs+0x6d/0x80
 ? watchdog_timer_fn+0x206/0x290
 ? __pfx_watchdog_timer_fn+0x10/0x10
 ? __hrtimer_run_queues+0x10f/0x2a0
 ? hrtimer_interrupt+0xf6/0x250
 ? __sysvec_apic_timer_interrupt+0x4e/0x150
 ? sysvec_apic_timer_interrupt+0x8d/0xd0
 </IRQ>
 <TASK>
 ? asm_sysvec_apic_timer_interrupt+0x1b/0x20
 ? native_queued_spin_lock_slowpath+0x84/0x2a0
 _raw_spin_lock+0x3f/0x60
 demo_spin+0x4/0x10 [demo]
 kthread+0xe6/0x110
 </TASK>
`,
    reason: 'watchdog: BUG: soft lockup - CPU#2 stuck for 22s! [demo:77]',
    frames: ['native_queued_spin_lock_slowpath', '_raw_spin_lock', 'demo_spin [demo]', 'kthread'],
    guilty: 'demo_spin [demo]',
    kernel: '6.8.0-55-generic',
  },
  {
    name: 'a stall of RCU: registers within the trace say what was interrupted',
    text: `[  154.0] rcu: INFO: rcu_preempt self-detected stall on CPU
[  154.1] rcu: \t0-....: (5250 ticks this GP) idle=b35/1/0x4000000000000002 softirq=1015/1015 fqs=2625
[  154.2] rcu: \t(t=5251 jiffies g=837 q=20 ncpus=2)
[  154.3] CPU: 0 PID: 71 Comm: demo Not tainted 6.6.25 #1
[  154.4] Call Trace:
[  154.5]  <IRQ>
[  154.6]  dump_stack_lvl+0x49/0x63
[  154.7]  rcu_dump_cpu_stacks+0xe0/0x120
[  154.8]  rcu_sched_clock_irq+0x38/0x82
[  154.9]  sysvec_apic_timer_interrupt+0x8d/0xd0
[  155.0]  </IRQ>
[  155.1]  <TASK>
[  155.2]  asm_sysvec_apic_timer_interrupt+0x1b/0x20
[  155.3] RIP: 0010:demo_poll+0x12/0x40 [demo]
[  155.4] Code: 00 00
[  155.5] RSP: 0018:ffffb5c8c0003e98 EFLAGS: 00000202
[  155.6] RAX: 0000000000000001 RBX: ffff8e61463d6e40 RCX: 0000000000000002
[  155.7]  demo_thread+0x20/0x60 [demo]
[  155.8]  kthread+0xe6/0x110
[  155.9]  </TASK>
`,
    reason: 'rcu: INFO: rcu_preempt self-detected stall on CPU',
    frames: [
      'dump_stack_lvl',
      'rcu_dump_cpu_stacks',
      'rcu_sched_clock_irq',
      'sysvec_apic_timer_interrupt',
      'asm_sysvec_apic_timer_interrupt',
      'demo_poll [demo]',
      'demo_thread [demo]',
      'kthread',
    ],
    guilty: 'demo_poll [demo]',
    kernel: '6.6.25',
  },
  {
    name: 'a hung task',
    text: `INFO: task kworker/1:2:188 blocked for more than 120 seconds.
      Not tainted 6.9.3 #1
"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.
task:kworker/1:2     state:D stack:0     pid:188   ppid:2      flags:0x00004000
Workqueue: events demo_work [demo]
Call Trace:
 <TASK>
 __schedule+0x3ec/0x1520
 schedule+0x2d/0xe0
 io_schedule+0x46/0x70
 demo_writeback+0x2b/0x60 [demo]
 </TASK>

Showing all locks held in the system:
1 lock held by khungtaskd/30:
 #0: ffffffff82e7a2e0 (rcu_read_lock){....}-{1:2}, at: debug_show_all_locks+0x15/0x16b
`,
    reason: 'INFO: task kworker/1:2:188 blocked for more than 120 seconds.',
    frames: ['__schedule', 'schedule', 'io_schedule', 'demo_writeback [demo]'],
    guilty: 'demo_writeback [demo]',
    kernel: '6.9.3',
  },
  {
    name: '6.19: KASAN; who allocated it is no part of the trace',
    text: `==================================================================
BUG: KASAN: slab-use-after-free in demo_free_list+0x33/0x90
Read of size 8 at addr ffff88810a0b1c00 by task cat/812

CPU: 7 UID: 0 PID: 812 Comm: cat Tainted: G      D    O        6.19.0-rc3 #47 PREEMPT(lazy)
Tainted: [D]=DIE, [O]=OOT_MODULE
Call Trace:
 <TASK>
 dump_stack_lvl+0x49/0x63
 print_report+0xce/0x660
 ? demo_free_list+0x33/0x90
 kasan_report+0xe0/0x110
 ? demo_free_list+0x33/0x90
 demo_free_list+0x33/0x90
 demo_close+0x20/0x40
 </TASK>

Allocated by task 812:
 kasan_save_stack+0x33/0x60
 demo_new+0x25/0x90
`,
    reason: 'BUG: KASAN: slab-use-after-free in demo_free_list+0x33/0x90',
    frames: ['dump_stack_lvl', 'print_report', 'kasan_report', 'demo_free_list', 'demo_close'],
    guilty: 'demo_free_list',
    kernel: '6.19.0-rc3',
    tainted: 'G D O',
  },
  {
    name: 'KFENCE, whose trace has no heading',
    text: `sty 03 12:44:18 pc kernel: BUG: KFENCE: use-after-free read in demo_exit+0x132/0x270
sty 03 12:44:18 pc kernel: 
sty 03 12:44:18 pc kernel: Use-after-free read at 0x00000000b8368693 (in kfence-#52):
sty 03 12:44:18 pc kernel:  demo_exit+0x132/0x270
sty 03 12:44:18 pc kernel:  exit_io_context+0x88/0xb0
sty 03 12:44:18 pc kernel:  do_exit+0x76f/0xae0
sty 03 12:44:18 pc kernel: 
sty 03 12:44:18 pc kernel: kfence-#52: 0x0000000060145aab-0x000000008934d0a2, size=568, cache=demo
sty 03 12:44:18 pc kernel: allocated by task 246 on cpu 0 at 7.425016s:
sty 03 12:44:18 pc kernel:  demo_new+0xdf/0x530
`,
    reason: 'BUG: KFENCE: use-after-free read in demo_exit+0x132/0x270',
    frames: ['demo_exit', 'exit_io_context', 'do_exit'],
    guilty: 'demo_exit',
  },
  {
    name: 'UBSAN',
    text: `------------[ cut here ]------------
UBSAN: array-index-out-of-bounds in drivers/demo/table.c:7:9
index 4 is out of range for type 'int [4]'
Call Trace:
 <TASK>
 dump_stack_lvl+0x5d/0x80
 ubsan_epilogue+0x5/0x30
 __ubsan_handle_out_of_bounds.cold+0x46/0x4b
 demo_index+0x1/0x2
 </TASK>
---[ end trace ]---
`,
    reason: 'UBSAN: array-index-out-of-bounds in drivers/demo/table.c:7:9',
    frames: ['dump_stack_lvl', 'ubsan_epilogue', '__ubsan_handle_out_of_bounds.cold', 'demo_index'],
    guilty: 'demo_index',
  },
  {
    name: 'lockdep: the trace is the one at the end, not what led to the lock before',
    text: `======================================================
WARNING: possible circular locking dependency detected
6.8.0-rc1 #1 Not tainted
------------------------------------------------------
demo/812 is trying to acquire lock:
ffff88810a0b1c00 (&demo->lock){+.+.}-{3:3}, at: demo_config+0x15/0x40 [demo]

the existing dependency chain (in reverse order) is:

-> #1 (&other->lock){+.+.}-{3:3}:
       lock_acquire+0xd0/0x2d0
       other_open+0x30/0x60

stack backtrace:
CPU: 3 PID: 812 Comm: demo Not tainted 6.8.0-rc1 #1
Call Trace:
 <TASK>
 dump_stack_lvl+0x5d/0x80
 print_circular_bug.cold+0x178/0x1be
 check_noncircular+0x148/0x160
 __lock_acquire+0x1460/0x2290
 lock_acquire+0xd0/0x2d0
 __mutex_lock+0x94/0xbd0
 demo_config+0x15/0x40 [demo]
 </TASK>
`,
    reason: 'WARNING: possible circular locking dependency detected',
    frames: [
      'dump_stack_lvl',
      'print_circular_bug.cold',
      'check_noncircular',
      '__lock_acquire',
      'lock_acquire',
      '__mutex_lock',
      'demo_config [demo]',
    ],
    guilty: 'demo_config [demo]',
  },
  {
    name: 'a panic alone, as dmesg -T prints it',
    text: `[Mon May  5 08:57:16 2026] Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b
[Mon May  5 08:57:16 2026] CPU: 0 PID: 1 Comm: init Not tainted 6.18.4 #1
[Mon May  5 08:57:16 2026] Call Trace:
[Mon May  5 08:57:16 2026]  <TASK>
[Mon May  5 08:57:16 2026]  dump_stack_lvl+0x5d/0x80
[Mon May  5 08:57:16 2026]  panic+0x156/0x32a
[Mon May  5 08:57:16 2026]  demo_exit+0x10/0x20
[Mon May  5 08:57:16 2026]  </TASK>
[Mon May  5 08:57:16 2026] Kernel Offset: 0x1a000000 from 0xffffffff81000000
[Mon May  5 08:57:16 2026] ---[ end Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b ]---
`,
    reason: 'Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b',
    frames: ['dump_stack_lvl', 'panic', 'demo_exit'],
    guilty: 'demo_exit',
    kernel: '6.18.4',
  },
  {
    name: 'a panic behind an oops: the oops is the reason',
    text: `BUG: unable to handle page fault for address: ffffbd2fe97a3ba0
RIP: 0010:demo_read+0x1c/0x80
Call Trace:
 demo_poll+0x41/0x90
Kernel panic - not syncing: Fatal exception
Call Trace:
 panic+0x156/0x32a
`,
    reason: 'BUG: unable to handle page fault for address: ffffbd2fe97a3ba0',
    frames: ['demo_read', 'demo_poll'],
    guilty: 'demo_read',
  },
  {
    name: 'a hard lockup of which nothing but the headline is left',
    text: 'watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 3\nModules linked in: demo\n',
    reason: 'watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 3',
    frames: [],
    guilty: '???',
  },
  {
    name: 'a Xen guest, 32 bits and a module that is gone',
    text: `kernel BUG at drivers/demo/demo.c:12!
invalid opcode: 0000 [#1] SMP
EIP: demo_probe+0x1c/0x80 [demo]
EAX: 00000000 EBX: 00000001 ECX: 00000002 EDX: 00000003
Call Trace:
 0xf8a01234
 ? 0xf8a05678
 demo_bind+0x10/0x20
`,
    reason: 'kernel BUG at drivers/demo/demo.c:12!',
    frames: ['demo_probe [demo]', '???', '???', 'demo_bind'],
    guilty: 'demo_probe [demo]',
  },
  {
    name: 'lines end with a carriage return, and drivers write between them',
    text: `[    1.0][    T1] WARNING: CPU: 0 PID: 1 at drivers/demo/x.c:3 demo_init+0x20/0x40\r
[    1.1][    T1] RIP: 0010:demo_init+0x20/0x40\r
[    1.2][    T1] Call Trace:\r
[    1.3][    T1]  <TASK>\r
[    1.4][   C12] usb 1-1: new high-speed USB device number 2 using xhci_hcd\r
[    1.5][    T1]  do_one_initcall+0x5b/0x310\r
[    1.6][    T1]  </TASK>\r
`,
    reason: 'WARNING: CPU: 0 PID: 1 at drivers/demo/x.c:3 demo_init+0x20/0x40',
    frames: ['demo_init', 'do_one_initcall'],
    guilty: 'demo_init',
  },
];

const OTHERS: KernelCase[] = [
  {
    name: 'arm64, Raspberry Pi OS, 5.15: the trace begins with pc itself',
    text: `[32185.008731] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018
[32185.008765] Mem abort info:
[32185.008770]   ESR = 0x96000005
[32185.008813] user pgtable: 4k pages, 39-bit VAs, pgdp=00000000427aa000
[32185.008820] [0000000000000018] pgd=0000000000000000, p4d=0000000000000000, pud=0000000000000000
[32185.008840] Internal error: Oops: 96000005 [#1] PREEMPT SMP
[32185.008846] Modules linked in: rfcomm demo
[32185.009000] CPU: 2 PID: 512 Comm: demo Tainted: G         C        5.15.32-v8+ #1538
[32185.009010] pstate: 20000005 (nzCv daif -PAN -UAO -TCO -DIT -SSBS BTYPE=--)
[32185.009020] pc : demo_tx+0x60/0x1c0 [demo]
[32185.009030] lr : demo_xmit+0x24/0x80 [demo]
[32185.009040] sp : ffffffc00b8f3b30
[32185.009050] x29: ffffffc00b8f3b30 x28: ffffff8041f95580 x27: 0000000000000000
[32185.009060] Call trace:
[32185.009070]  demo_tx+0x60/0x1c0 [demo]
[32185.009080]  demo_xmit+0x24/0x80 [demo]
[32185.009090]  el0_svc+0x30/0x90
[32185.009100] Code: 91002100 8b0400c4 f862d94a aa0403e2 (f82a6848) 
[32185.009110] ---[ end trace eb468d3c47db53bf ]---
`,
    reason: 'Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018',
    frames: ['demo_tx [demo]', 'demo_xmit [demo]', 'el0_svc'],
    guilty: 'demo_tx [demo]',
    kernel: '5.15.32-v8+',
    tainted: 'G C',
  },
  {
    name: 'arm64, 6.18, which says where frames come from',
    text: `------------[ cut here ]------------
WARNING: drivers/demo/ring.c:77 at demo_push+0x20/0x40 [demo], CPU#3: kworker/811
pc : demo_push+0x20/0x40 [demo]
lr : demo_poll+0x14/0x60 [demo]
x29: ffff800082cbbd60 x28: 0000000000000000
Call trace:
 demo_push+0x20/0x40 [demo] (P)
 demo_poll+0x14/0x60 [demo] (L)
 el0t_64_sync+0x198/0x1a0
---[ end trace 0000000000000000 ]---
`,
    reason: 'WARNING: drivers/demo/ring.c:77 at demo_push+0x20/0x40 [demo], CPU#3: kworker/811',
    frames: ['demo_push [demo]', 'demo_poll [demo]', 'el0t_64_sync'],
    guilty: 'demo_push [demo]',
  },
  {
    name: 'arm of 32 bits, 5.4: frames name their callers',
    text: `[135992.726639] Unable to handle kernel NULL pointer dereference at virtual address 0000000c
[135992.726715] Internal error: Oops: 17 [#2] ARM
[135992.726854] CPU: 0 PID: 7690 Comm: htop Tainted: G      D  C        5.4.79+ #1373
[135992.726890] PC is at demo_print+0x18/0x64 [demo]
[135992.726903] LR is at seq_printf+0x3c/0x5c
[135992.726912] pc : [<c01f3218>]    lr : [<c01f32a0>]    psr: 60000013
[135992.726923] sp : cd009d54  ip : cd009d6c  fp : cd009d68
[135992.726980] Stack: (0xcd009d54 to 0xcd00a000)
[135992.726990] 9d40:                                              c01f32a0 cd009d8c c0955d38
[135992.727000] [<bf1f3218>] (demo_print [demo]) from [<c01f32a0>] (seq_printf+0x3c/0x5c)
[135992.727010] [<c01f32a0>] (seq_printf) from [<c024801c>] (demo_show+0x1c/0x40)
[135992.727020] Code: e1a0c00d e92dd800
`,
    reason: 'Unable to handle kernel NULL pointer dereference at virtual address 0000000c',
    frames: ['demo_print [demo]', 'seq_printf'],
    guilty: 'demo_print [demo]',
    kernel: '5.4.79+',
  },
  {
    name: 'arm of 32 bits, 6.0: the same without addresses',
    text: `[   10.686330] Unable to handle kernel paging request at virtual address 81b144a8
[   10.697128] Internal error: Oops: 5 [#1] SMP ARM
[   10.718623] PC is at demo_tick+0x1c/0x380
[   10.719000]  demo_tick from demo_advance+0xe4/0x258
[   10.719100]  demo_advance from tick_sched_timer+0x64/0x98
`,
    reason: 'Unable to handle kernel paging request at virtual address 81b144a8',
    frames: ['demo_tick', 'demo_advance'],
    guilty: 'demo_tick',
  },
  {
    name: 'riscv, 6.6',
    text: `[  229.1] Unable to handle kernel paging request at virtual address 0000000000800000
[  229.2] Oops [#1]
[  229.3] CPU: 7 PID: 12 Comm: demo Not tainted 6.6.25 #20
[  229.4] epc : demo_store+0xc/0x14 [demo]
[  229.5]  ra : demo_create+0x3a/0x42 [demo]
[  229.6] epc : ffffffff8007dbb0 ra : ffffffff80ed8120 sp : ff2000000013bed0
[  229.7]  gp : ffffffff8202d8a0 tp : ff60000080289900 t0 : ff200000006d35c0
[  229.8] [<ffffffff8007dbb0>] demo_store+0xc/0x14 [demo]
[  229.9] [<ffffffff80ed8120>] demo_create+0x3a/0x42 [demo]
[  230.0] ---[ end trace 0000000000000000 ]---
`,
    reason: 'Unable to handle kernel paging request at virtual address 0000000000800000',
    frames: ['demo_store [demo]', 'demo_create [demo]'],
    guilty: 'demo_store [demo]',
    kernel: '6.6.25',
  },
  {
    name: 'ppc64le, 4.19: the first frame is not to be trusted',
    text: `[  223.606000] Oops: Kernel access of bad area, sig: 11 [#8]
[  223.606403] LE SMP NR_CPUS=2048 NUMA PowerNV
[  223.606404] CPU: 104 PID: 93512 Comm: demo Tainted: G        W         4.19.0-rc8+ #1
[  223.606405] NIP:  c000000000ac0ce8 LR: c000000000159748 CTR: c000000000476030
[  223.606458] GPR12: c000000000ac0cd0 c00000000fab7000 00000f765a3f0728 00007af734010000
[  223.606866] NIP [c000000000ac0ce8] demo_update+0x18/0xf0
[  223.606907] LR [c000000000159748] propagate_demo.isra.11+0x4a8/0x5f0
[  223.606954] Call Trace:
[  223.606972] [c000003fdc18bc80] [c000000000159400] propagate_demo.isra.11+0x160/0x5f0 (unreliable)
[  223.606980] [c000003fdc18bd00] [0000000000000000] 0x0 (unreliable)
[  223.607030] [c000003fdc18bd40] [c000000000150aec] demo_wake+0x13c/0x310
[  223.607079] --- interrupt: 900 at demo_idle+0x14/0x20
[  223.607080]     LR = demo_loop+0x34/0x60
[  223.607120] [c000003fdc18be30] [c00000000000b580] ppc_clone+0x8/0xc
[  223.607160] Instruction dump:
[  223.607185] ebe1fff8 7d908120
`,
    reason: 'Oops: Kernel access of bad area, sig: 11 [#8]',
    frames: ['demo_update', '???', 'demo_wake', 'demo_idle', 'ppc_clone'],
    guilty: 'demo_update',
    kernel: '4.19.0-rc8+',
    tainted: 'G W',
  },
  {
    name: 's390x, 5.17',
    text: `[    1.707778] Unable to handle kernel pointer dereference in virtual kernel address space
[    1.707942] Failing address: 000000000133b000 TEID: 000000000133b407
[    1.709436] Oops: 0004 ilc:2 [#1] SMP 
[    1.709851] CPU: 0 PID: 32 Comm: kworker/u2:1 Not tainted 5.17.0-rc1 #1
[    1.710420] Krnl PSW : 0704d00180000000 00000000009e59e4 (demo_number+0x464/0x5d0 [demo])
[    1.710587]            R:0 T:1 IO:1 EX:1 Key:0 M:1 W:0 P:0 AS:3 CC:1 PM:0 RI:0 EA:3
[    1.710645] Krnl GPRS: ffffff01fffffffc 0000000000000000 0000000000000001 0000000000000000
[    1.711937] Krnl Code: 00000000009e59d4: ecdcfff8a065 clgrj %r13,%r12,10
[    1.712000] Call Trace:
[    1.712001]  [<00000000009e59e4>] demo_number+0x464/0x5d0 [demo]
[    1.712002] ([<00000000009e5a00>] demo_other+0x10/0x20 [demo])
[    1.712003]  [<00000000001c0000>] kthread+0x17e/0x190
[    1.712004] Last Breaking-Event-Address:
[    1.712005]  [<00000000009e5900>] demo_wrong+0x3c0/0x5d0
`,
    reason: 'Unable to handle kernel pointer dereference in virtual kernel address space',
    frames: ['demo_number [demo]', 'demo_other [demo]', 'kthread'],
    guilty: 'demo_number [demo]',
    kernel: '5.17.0-rc1',
  },
  {
    name: 'a stall of RCU whose own thread is starved: its trace comes first and is not meant',
    text: `[  396.6] rcu: INFO: rcu_preempt self-detected stall on CPU
[  396.7] rcu: rcu_preempt kthread starved for 10492 jiffies! g12045 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x0 ->cpu=0
[  396.8] rcu: RCU grace-period kthread stack dump:
[  396.9] task:rcu_preempt     state:R  running task     stack:0     pid:16    ppid:2      flags:0x00004000
[  397.0] Call Trace:
[  397.1]  __schedule+0x3ec/0x1520
[  397.2]  schedule_timeout+0x88/0x160
[  397.3]  rcu_gp_kthread+0x31/0x60
[  397.4] NMI backtrace for cpu 1
[  397.5] CPU: 1 PID: 812 Comm: demo Not tainted 5.10.0-rc4 #2
[  397.6] Call Trace:
[  397.7]  <IRQ>
[  397.8]  dump_stack+0x107/0x163
[  397.9]  </IRQ>
[  398.0] RIP: 0010:demo_walk+0x12/0x40
[  398.1]  demo_lookup+0x30/0x50
`,
    reason: 'rcu: INFO: rcu_preempt self-detected stall on CPU',
    frames: ['dump_stack', 'demo_walk', 'demo_lookup'],
    guilty: 'demo_walk',
    kernel: '5.10.0-rc4',
  },
  {
    name: 'SLUB of 2012, without a colon',
    text: `=============================================================================
BUG kmalloc-64 (Not tainted): Poison overwritten
-----------------------------------------------------------------------------

INFO: 0xf2751962-0xf2751995. First byte 0x98 instead of 0x6b
INFO: Allocated in demo_new+0x4c/0x80 age=12 cpu=0 pid=812
Pid: 812, comm: demo Not tainted 3.4.0 #1
Call Trace:
 [<c10e8b3d>] ? slab_err+0x5d/0x70
 [<c10e9000>] demo_check+0x5d/0x70
`,
    reason: 'BUG kmalloc-64 (Not tainted): Poison overwritten',
    frames: ['? slab_err', 'demo_check'],
    guilty: 'demo_check',
  },
  {
    name: 'a headline in brackets, of before 4.10',
    text: `[ INFO: possible recursive locking detected ]
Call Trace:
 [<ffffffff810b1234>] lock_acquire+0x14/0x20
 [<ffffffff810b1235>] demo_lock+0x14/0x20
`,
    reason: 'INFO: possible recursive locking detected',
    frames: ['lock_acquire', 'demo_lock'],
    guilty: 'demo_lock',
  },
  {
    name: 'a trace that is cut off: the headline says where',
    text: `BUG: KASAN: slab-use-after-free in demo_free_list+0x33/0x90 [demo]
Call Trace:
 dump_stack_lvl+0x49/0x63
`,
    reason: 'BUG: KASAN: slab-use-after-free in demo_free_list+0x33/0x90 [demo]',
    frames: ['demo_free_list [demo]', 'dump_stack_lvl'],
    guilty: 'demo_free_list [demo]',
  },
  {
    name: 'nothing but doubted calls',
    text: `BUG: unable to handle kernel paging request at ffffbd2fe97a3ba0
Call Trace:
 ? demo_read+0x1c/0x80
 ? demo_poll+0x41/0x90
`,
    reason: 'BUG: unable to handle kernel paging request at ffffbd2fe97a3ba0',
    frames: ['? demo_read', '? demo_poll'],
    guilty: 'demo_poll',
  },
  {
    name: 'arm names the process like the telemetrics client does',
    text: `Kernel panic - not syncing: hung_task: blocked tasks
Backtrace: 
[<c0014318>] (dump_backtrace) from [<c001457c>] (show_stack+0x24/0x2c)
 r7:df912310 r6:df912140 r5:c081745c r4:00000000
[<c0014558>] (demo_watch) from [<c0044898>] (kthread+0xe8/0xfc)

Process: khungtaskd, pid:27
PC:00000000  LR:00000000  SP:00000000  IP:00000000  FP:00000000
`,
    reason: 'Kernel panic - not syncing: hung_task: blocked tasks',
    frames: ['dump_backtrace', 'demo_watch'],
    guilty: 'demo_watch',
  },
  {
    name: 'loongarch, 6.12',
    text: `CPU 2 Unable to handle kernel paging request at virtual address 0000000000000030, era == 9000000003c63d10, ra == 9000000003c63d00
Oops[#1]:
pc 9000000003c63d10 ra 9000000003c63d00 tp 9000000100a1c000 sp 9000000100a1fd60
   ra: 9000000003c63d00 demo_walk+0x30/0x60
  ERA: 9000000003c63d10 demo_step+0x10/0x40
Call Trace:
[<9000000003c63d10>] demo_step+0x10/0x40
[<9000000003c63d00>] demo_walk+0x30/0x60
Code: 0040700c
`,
    reason:
      'CPU 2 Unable to handle kernel paging request at virtual address 0000000000000030, era == 9000000003c63d10, ra == 9000000003c63d00',
    frames: ['demo_step', 'demo_walk'],
    guilty: 'demo_step',
  },
];

export const KERNEL_CASES = [...X86, ...OTHERS];
