import { expect, test } from 'bun:test';
import { framesOf } from '../../src/crashes/reason.ts';

const frameOf = (reason: string) => framesOf({ frames: [], reason })[0]!;

test.each<[reason: string, functionName: string, module: string, source: string | null]>([
  [
    'WARNING: CPU: 0 PID: 99 at drivers/usb/core/hub.c:1234 hub_port_reset+0x4a/0x5b0 [usbcore]',
    'hub_port_reset',
    'usbcore',
    'drivers/usb/core/hub.c:1234',
  ],
  ['WARNING: CPU: 3 PID: 811 at ring_push+0x21/0x40', 'ring_push', 'kernel', null],
  [
    'WARNING: net/core/dev.c:123 at dev_demo+0x12/0x34, CPU#1: ksoftirqd/1/21',
    'dev_demo',
    'kernel',
    'net/core/dev.c:123',
  ],
  ['WARNING: at demo_fn+0x12/0x34 [demo], CPU#12: swapper/0/1', 'demo_fn', 'demo', null],
  [
    'WARNING: at net/sched/sch_generic.c:255 dev_watchdog+0x1f2/0x200() (Not tainted)',
    'dev_watchdog',
    'kernel',
    'net/sched/sch_generic.c:255',
  ],
  [
    'BUG: KASAN: slab-use-after-free in sk_lookup.part.0+0x91/0x260 [tcp_demo 0a1b2c3d4e5f60718293]',
    'sk_lookup.part.0',
    'tcp_demo',
    null,
  ],
  ['KASAN: null-ptr-deref in range [0x0-0x7] in demo_put+0x1/0x2', 'demo_put', 'kernel', null],
  ['BUG: KFENCE: use-after-free read in demo_read+0xb3/0x143', 'demo_read', 'kernel', null],
  ['BUG: KCSAN: data-race in rb_demo / rb_other', 'rb_demo', 'kernel', null],
  ['BUG: KMSAN: uninit-value in demo_copy+0x5/0x9', 'demo_copy', 'kernel', null],
  ['RIP: 0010:demo_irq+0x5/0x10', 'demo_irq', 'kernel', null],
  [
    'BUG: unable to handle kernel NULL pointer dereference at 0000000000000010 IP: [<ffffffff98231bc6>] sysrq_crash+0x16/0x20',
    'sysrq_crash',
    'kernel',
    null,
  ],
  ['PC is at demo_vfp+0x0/0x28', 'demo_vfp', 'kernel', null],
  ['Kernel BUG at skb_demo+0x25/0x30 [verbose debug info unavailable]', 'skb_demo', 'kernel', null],
  ['Oops in .demo_free+0x10/0x20 [xfs]', '.demo_free', 'xfs', null],
  ['kernel BUG at fs/demo/inode.c:2500!', 'fs/demo/inode.c', 'kernel', 'fs/demo/inode.c:2500'],
  ['UBSAN: shift-out-of-bounds in drivers/demo.c:8:6', 'drivers/demo.c', 'kernel', 'drivers/demo.c:8'],
  ['RTNL: assertion failed at net/core/dev.c (1234)', 'net/core/dev.c', 'kernel', 'net/core/dev.c:1234'],
  ['BUG: unable to handle page fault for address: ffffa007404eb010', '???', 'kernel', null],
  ['Kernel panic - not syncing: Fatal exception', '???', 'kernel', null],
  ['irq 16: nobody cared', '???', 'kernel', null],
  ['+0x1', '???', 'kernel', null],
])('%s', (reason, name, module, source) => {
  expect(frameOf(reason)).toMatchObject({ number: 0, function: name, module, source, unknown: name === '???' });
});

test.each<[reason: string, other: string, same: boolean]>([
  ['BUG: bad address: ffffa007404eb010', 'BUG: bad address: ffffb1188e5fc020', true],
  [
    'INFO: task demo:812 blocked for more than 120 seconds',
    'INFO: task demo:99 blocked for more than 240 seconds',
    true,
  ],
  ['BUG: Bad page state in process demo  pfn:12ab3', 'BUG: Bad page state in process demo  pfn:9', true],
  ['Kernel panic - not syncing: Fatal exception', 'Kernel panic - not syncing: out of memory', false],
])('%s and %s are one: %p', (reason, other, same) => {
  expect(frameOf(reason).reason === frameOf(other).reason).toBe(same);
});

test('a report with a backtrace, or without a reason, gets no frame', () => {
  const frame = frameOf('irq 16: nobody cared');
  expect(framesOf({ frames: [frame], reason: 'WARNING: at other+0x1/0x2' })).toEqual([frame]);
  expect(framesOf({ frames: [], reason: null })).toEqual([]);
});

test('a reason of any length is read at once', () => {
  for (const part of ['a', '0', '+0x', ' at a.c:', '[', '/'])
    expect(frameOf(part.repeat(300_000)).reason!.length).toBeLessThanOrEqual(1_000);
});
