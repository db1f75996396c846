import type { Signature } from './stack-notation.ts';

/** The long tail: crashes that few machines ever see. */
export const RARE_CRASHES: Signature[] = [
  stripped('/opt/vendor/agent/bin/agentd', 11, 7),
  {
    program: '/usr/bin/bash',
    signal: 6,
    threads: [
      [
        '@malloc',
        'realloc libc.so.6 ./malloc/malloc.c:3463',
        'xrealloc $program xmalloc.c:116',
        'expand_word_internal $program subst.c:10421',
        'execute_command_internal $program execute_cmd.c:874',
        'reader_loop $program eval.c:180',
        'main $program shell.c:833',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/vim',
    signal: 11,
    threads: [
      [
        'vim_regexec_string $program src/regexp.c:2986',
        '51 × regmatch $program src/regexp_bt.c:3302',
        'syn_current_attr $program src/syntax.c:1986',
        'update_screen $program src/drawscreen.c:193',
        'main_loop $program src/main.c:1382',
        'main $program src/main.c:435',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/git',
    signal: 7,
    threads: [
      [
        '__memcpy_avx_unaligned_erms libc.so.6 ../sysdeps/x86_64/multiarch/memmove-vec-unaligned-erms.S:265',
        'use_pack $program packfile.c:684',
        'unpack_entry $program packfile.c:1752',
        'cmd_log $program builtin/log.c:838',
        'main $program common-main.c:64',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/libexec/packagekitd',
    signal: 11,
    threads: [
      [
        'pk_backend_job_set_percentage $program ../src/pk-backend-job.c:512',
        '??? libpk_backend_alpm.so',
        'pk_backend_job_thread_setup $program ../src/pk-backend-job.c:758',
        'g_thread_proxy libglib-2.0.so.0 ../glib/gthread.c:892',
        '@thread',
      ],
      ['@poll', '@glib', 'main $program ../src/pk-main.c:240', '@start'],
    ],
  },
  {
    program: '/usr/bin/qemu-system-x86_64',
    signal: 6,
    threads: [
      [
        '@abort',
        '__assert_fail libc.so.6 ./assert/assert.c:105',
        'bdrv_drain_all_begin $program ../block/io.c:512',
        'virtio_blk_stop_ioeventfd $program ../hw/block/virtio-blk.c:1480',
        'main_loop_wait $program ../util/main-loop.c:592',
        'qemu_main_loop $program ../system/runstate.c:827',
        'main $program ../system/main.c:48',
        '@start',
      ],
      ['ioctl libc.so.6', 'kvm_vcpu_ioctl $program ../accel/kvm/kvm-all.c:3301', '@thread'],
      ['ioctl libc.so.6', 'kvm_vcpu_ioctl $program ../accel/kvm/kvm-all.c:3301', '@thread'],
    ],
  },
  {
    program: '/usr/bin/pipewire',
    signal: 11,
    threads: [
      [
        'spa_alsa_write libspa-alsa.so ../spa/plugins/alsa/alsa-pcm.c:2874',
        'impl_node_process libspa-alsa.so ../spa/plugins/alsa/alsa-pcm-sink.c:801',
        'node_on_fd_events libpipewire-0.3.so.0 ../src/pipewire/impl-node.c:1353',
        'loop_iterate libspa-support.so ../spa/plugins/support/loop.c:612',
        'do_loop libpipewire-0.3.so.0 ../src/pipewire/data-loop.c:81',
        '@thread',
      ],
      ['epoll_wait libc.so.6', 'pw_main_loop_run libpipewire-0.3.so.0', 'main $program', '@start'],
    ],
  },
  {
    program: '/usr/bin/cupsd',
    signal: 11,
    threads: [
      [
        'cupsArrayFind libcups.so.2 cups/array.c:388',
        'cupsdDeletePrinter $program scheduler/printers.c:704',
        'cupsdReadClient $program scheduler/client.c:1840',
        'main $program scheduler/main.c:812',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/code',
    signal: 5,
    threads: [
      [
        '_ZN2v84base8OS_AbortEv $program',
        '_ZN2v88internal2V823FatalProcessOutOfMemoryEPNS0_7IsolateEPKcb $program',
        '_ZN2v88internal4Heap17CollectAllGarbageEiNS0_23GarbageCollectionReasonE $program',
        '??? $program',
        '??? $program',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/bluetoothd',
    signal: 11,
    threads: [
      [
        'queue_find $program src/shared/queue.c:230',
        'bt_gatt_client_unref $program src/shared/gatt-client.c:2354',
        'att_disconnect_cb $program src/device.c:5841',
        '@glib',
        'main $program src/main.c:1548',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/node',
    signal: 6,
    threads: [
      [
        '@abort',
        '_ZN4node5AbortEv $program',
        '_ZN4node15OOMErrorHandlerEPKcRKN2v810OOMDetailsE $program',
        'uv_run libuv.so.1 src/unix/core.c:460',
        '_ZN4node13SpinEventLoopEPNS_11EnvironmentE $program',
        'main $program',
        '@start',
      ],
      ['@wait', 'uv_cond_wait libuv.so.1', '??? $program', '@thread'],
    ],
  },
  stripped('/usr/local/bin/lizenzserver', 11, 4),
  {
    program: '/usr/bin/Xorg',
    signal: 11,
    threads: [
      [
        'xf86CrtcSetModeTransform $program ../hw/xfree86/modes/xf86Crtc.c:284',
        '??? nvidia_drv.so',
        'RRCrtcSet $program ../randr/rrcrtc.c:814',
        'ProcRRSetCrtcConfig $program ../randr/rrcrtc.c:1431',
        'Dispatch $program ../dix/dispatch.c:551',
        'dix_main $program ../dix/main.c:274',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/sbin/sssd_be',
    signal: 11,
    threads: [
      [
        'sdap_idmap_domain_has_algorithmic_mapping libsss_ldap_common.so src/providers/ldap/sdap_idmap.c:611',
        'sdap_save_users libsss_ldap_common.so src/providers/ldap/sdap_async_users.c:792',
        '_tevent_loop_once libtevent.so.0 ../../tevent.c:848',
        'main $program src/providers/data_provider_be.c:741',
        '@start',
      ],
    ],
  },
];

/** A program without symbols. */
function stripped(program: string, signal: number, frames: number): Signature {
  return {
    program,
    signal,
    threads: [
      [`${frames} × ??? $program`, '@start'],
      ['@wait', '??? $program', '@thread'],
    ],
  };
}
