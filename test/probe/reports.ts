export const OOPS = `BUG: kernel NULL pointer dereference, address: 0000000000000118
#PF: supervisor read access in kernel mode
PGD 0 P4D 0
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 3 PID: 4711 Comm: mount Tainted: G        W          6.1.0-13-amd64 #1  Debian 6.1.55-1
RIP: 0010:demo_open+0x1c/0x80 [demo]
Call Trace:
 <TASK>
 ? __die_body.cold+0x1a/0x1f
 demo_lookup+0x41/0x90 [demo]
 </TASK>
Modules linked in: demo(OE)
CR2: 0000000000000118
---[ end trace 0000000000000000 ]---`;

const HUNG = `INFO: task kworker/1:2:188 blocked for more than 120 seconds.
      Not tainted 6.9.3 #1
"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.
task:kworker/1:2     state:D stack:0     pid:188
Call Trace:
 <TASK>
 __schedule+0x3ec/0x1520
 demo_writeback+0x2b/0x60 [demo]
 </TASK>`;

interface Report {
  name: string;
  text: string;
  class: string;
  severity: string;
  /** What of the text is sent; all of it by default. */
  sent?: string;
}

/** Reports as kernels of several versions and architectures write them. */
export const REPORTS: Report[] = [
  { name: 'an oops', text: OOPS, class: 'kernel/oops', severity: '4' },
  { name: 'a hung task', text: HUNG, class: 'kernel/lockup', severity: '3' },
  {
    name: 'a warning among lines of drivers',
    text: `usb 1-3: SerialNumber: 4C530001
------------[ cut here ]------------
refcount_t: underflow; use-after-free.
WARNING: CPU: 1 PID: 9 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110
Call Trace:
 <TASK>
wlan0: authenticate with aa:bb:cc:dd:ee:ff
[UFW BLOCK] IN=wlan0 OUT= MAC=aa:bb:cc:dd:ee:ff SRC=192.0.2.1 DST=192.0.2.2
e1000e 0000:00:1f.6 eth0: NIC Link is Down
 demo_put+0x10/0x20 [demo]
 </TASK>
---[ end trace 0000000000000000 ]---
usb 1-3: USB disconnect, device number 4`,
    sent: `------------[ cut here ]------------
refcount_t: underflow; use-after-free.
WARNING: CPU: 1 PID: 9 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110
Call Trace:
 <TASK>
 demo_put+0x10/0x20 [demo]
 </TASK>
---[ end trace 0000000000000000 ]---`,
    class: 'kernel/warning',
    severity: '2',
  },
  {
    name: 'an oops, with what would tell the machine from others',
    text: `BUG: unable to handle page fault for address: 0000000000000118
audit: type=1400 name="/srv/alice"
usb 1-3: SerialNumber: 4C530001
EXT4-fs (sda1): mounted filesystem 5fb06bd0-0bb6-7ffb-45f1-d6edd65f3e03 r/w
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 3 UID: 1234567 PID: 4711 Comm: mount Not tainted 6.12.1-amd64 #1
Hardware name: server 192.0.2.10 2001:db8::10 52:54:00:12:34:56 nqn.2014-08.org:alice wwn=0x5000c500
Call Trace:
 <TASK>
IPv6: ADDRCONF(NETDEV_CHANGE): wlan0: link becomes ready
 demo_open+0x1c/0x80 [demo 5fb06bd0-0bb6-7ffb-45f1-d6edd65f3e03]
 </TASK>
---[ end trace 0000000000000000 ]---`,
    sent: `BUG: unable to handle page fault for address: 0000000000000118
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 3 UID: [user] PID: 4711 Comm: mount Not tainted 6.12.1-amd64 #1
Hardware name: server [ip] [ip] [mac] nqn.[masked] wwn=0x5000c500
Call Trace:
 <TASK>
 demo_open+0x1c/0x80 [demo [uuid]]
 </TASK>
---[ end trace 0000000000000000 ]---`,
    class: 'kernel/oops',
    severity: '4',
  },
  {
    name: 'a warning of Linux 6.18, on arm64',
    text: `------------[ cut here ]------------
WARNING: drivers/demo/ring.c:77 at demo_push+0x20/0x40 [demo], CPU#3: kworker/811
pc : demo_push+0x20/0x40 [demo]
lr : demo_poll+0x14/0x60 [demo]
x29: ffff800082cbbd60 x28: 0000000000000000
Call trace:
 demo_push+0x20/0x40 [demo] (P)
 el0t_64_sync+0x198/0x1a0
---[ end trace 0000000000000000 ]---`,
    class: 'kernel/warning',
    severity: '2',
  },
  {
    name: 'a bug that names its place',
    text: `------------[ cut here ]------------
kernel BUG at mm/slub.c:305!
invalid opcode: 0000 [#1] SMP
Call Trace:
 demo_free+0x10/0x20
---[ end trace 0000000000000000 ]---`,
    class: 'kernel/bug',
    severity: '4',
  },
  {
    name: 'KASAN',
    text: `BUG: KASAN: slab-use-after-free in demo_free_list+0x33/0x90
Read of size 8 at addr ffff88810a0b1c00 by task cat/812
Call Trace:
 dump_stack_lvl+0x49/0x63
Allocated by task 812:
 kmalloc_trace+0x25/0x90
page:ffffea0004282c00 refcount:1 mapcount:0
flags: 0x17ffffc0000840(slab|head|node=0|zone=2)
==================================================================`,
    class: 'kernel/bug',
    severity: '4',
  },
  {
    name: 'a general protection fault of the kernel',
    text: `Oops: general protection fault, probably for non-canonical address 0xdead000000000108: 0000 [#1] PREEMPT SMP
Call Trace:
 demo_del+0x5/0x20
---[ end trace 0000000000000000 ]---`,
    class: 'kernel/oops',
    severity: '4',
  },
  {
    name: 'UBSAN',
    text: `------------[ cut here ]------------
UBSAN: array-index-out-of-bounds in drivers/demo/table.c:7:9
index 4 is out of range for type 'int [4]'
Call Trace:
 demo_index+0x1/0x2
---[ end trace ]---`,
    class: 'kernel/warning',
    severity: '2',
  },
  {
    name: 'a soft lockup',
    text: `watchdog: BUG: soft lockup - CPU#2 stuck for 22s! [demo:77]
Modules linked in: demo
RIP: 0010:demo_spin+0x4/0x10 [demo]
Call Trace:
 <TASK>
 kthread+0xe6/0x110`,
    class: 'kernel/lockup',
    severity: '3',
  },
  {
    name: 'a hard lockup',
    text: 'watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 3\nModules linked in: demo',
    class: 'kernel/lockup',
    severity: '3',
  },
  {
    name: 'an RCU stall',
    text: `rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: \t2-...!: (0 ticks this GP) idle=0ddc/0/0x0
rcu: rcu_preempt kthread starved for 5250 jiffies!
Sending NMI from CPU 0 to CPUs 2:
NMI backtrace for cpu 2
Call Trace:
 demo_idle+0x1/0x2`,
    class: 'kernel/lockup',
    severity: '3',
  },
  {
    name: 'a machine check of Intel that was corrected',
    text: `mce: [Hardware Error]: Machine check events logged
mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 0: 9000004000010005
mce: [Hardware Error]: TSC 95596a63008b
mce: [Hardware Error]: PROCESSOR 0:a0653 TIME 1684022949 SOCKET 0 APIC 0 microcode f6 PPIN 2b3c4d5e6f708192`,
    sent: `mce: [Hardware Error]: Machine check events logged
mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 0: 9000004000010005
mce: [Hardware Error]: TSC [masked]
mce: [Hardware Error]: PROCESSOR 0:a0653 TIME 1684022949 SOCKET 0 APIC 0 microcode f6 PPIN [masked]`,
    class: 'mce/corrected',
    severity: '2',
  },
  {
    name: 'a machine check of AMD that was not',
    text: `mce: [Hardware Error]: Machine check events logged
mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 5: bea0000000000108
mce: [Hardware Error]: TSC 0 ADDR 1ffffad66d6fe MISC d012000100000000 SYND 4d000000 IPID 500b000000000`,
    class: 'mce/uncorrected',
    severity: '4',
  },
  {
    name: 'a machine check of AMD that was corrected',
    text: `mce: [Hardware Error]: Machine check events logged
[Hardware Error]: Corrected error, no action required.
[Hardware Error]: CPU:12 (17:71:0) MC1_STATUS[Over|CE|MiscV|AddrV|-|-|SyndV|-|-|-]: 0xdc20000000030151
[Hardware Error]: cache level: L1, tx: INSN, mem-tx: IRD`,
    class: 'mce/corrected',
    severity: '2',
  },
  {
    name: 'an error record of the last boot',
    text: `BERT: Error records from previous boot:
[Hardware Error]: event severity: fatal
[Hardware Error]:  Error 0, type: fatal`,
    class: 'mce/uncorrected',
    severity: '4',
  },
  {
    name: 'a memory error',
    text: 'EDAC MC0: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0 (channel:1 slot:0 page:0x12345)',
    class: 'mce/corrected',
    severity: '2',
  },
  {
    name: 'heat, which old kernels also log as a machine check',
    text: `CPU0: Core temperature above threshold, cpu clock throttled (total events = 1)
mce: CPU4: Package temperature is above threshold, cpu clock is throttled (total events = 7)
mce: [Hardware Error]: Machine check events logged
CPU0: Core temperature/speed normal`,
    class: 'mce/thermal',
    severity: '2',
  },
];
