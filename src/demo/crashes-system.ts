import type { Signature } from './stack-notation.ts';

const STRING = 'NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE';
const TO_STRING = 'S7_St4lessIS7_ESaISt4pairIKS7_S7_EEE';
const THREAD_OF_WORKER = '_ZNSt6thread11_State_implINS_8_InvokerISt5tupleIJMN6ingest6WorkerEFvvEPS4_EEEEE6_M_runEv';

/** Crashes of daemons and developers' tools, the most frequent first. */
export const SYSTEM_CRASHES: Signature[] = [
  {
    program: '/usr/lib/systemd/systemd-resolved',
    signal: 6,
    threads: [
      [
        '@abort',
        'log_assert_failed libsystemd-shared-258.so ../src/basic/log.c:1077',
        'dns_transaction_complete $program ../src/resolve/resolved-dns-transaction.c:431',
        'dns_transaction_process_reply $program ../src/resolve/resolved-dns-transaction.c:1388',
        'on_dns_packet $program ../src/resolve/resolved-dns-transaction.c:1467',
        'source_dispatch libsystemd-shared-258.so ../src/libsystemd/sd-event/sd-event.c:4204',
        'sd_event_run libsystemd-shared-258.so ../src/libsystemd/sd-event/sd-event.c:4859',
        'sd_event_loop libsystemd-shared-258.so ../src/libsystemd/sd-event/sd-event.c:4880',
        'main $program ../src/resolve/resolved.c:97',
        '@start',
      ],
    ],
    regression: 'resolver',
  },
  {
    program: '/usr/sbin/NetworkManager',
    signal: 11,
    threads: [
      [
        'nm_active_connection_get_device $program ../src/core/nm-active-connection.c:551',
        'nm_policy_update_dns $program ../src/core/nm-policy.c:1320',
        'device_state_changed $program ../src/core/nm-policy.c:2207',
        'g_closure_invoke libgobject-2.0.so.0 ../gobject/gclosure.c:833',
        'g_signal_emit_by_name libgobject-2.0.so.0 ../gobject/gsignal.c:3701',
        '@glib',
        'main $program ../src/core/main.c:529',
        '@start',
      ],
      ['@poll', '@glib', 'gdbus_shared_thread_func libgio-2.0.so.0 ../gio/gdbusprivate.c:284', '@thread'],
    ],
  },
  {
    program: '/usr/bin/python3.13',
    signal: 11,
    threads: [
      [
        '??? libtorch_cpu.so',
        '_ZN2at6native12_GLOBAL__N_115add_kernel_implERNS_18TensorIteratorBaseERKN3c106ScalarE libtorch_cpu.so',
        '_ZN5torch8autograd6Engine17evaluate_functionERSt10shared_ptrINS0_9GraphTaskEEPNS0_4NodeE libtorch_cpu.so',
        '_PyEval_EvalFrameDefault libpython3.13.so.1.0 Python/generated_cases.c.h:1250',
        'PyEval_EvalCode libpython3.13.so.1.0 Python/ceval.c:601',
        'run_mod libpython3.13.so.1.0 Python/pythonrun.c:1353',
        'Py_RunMain libpython3.13.so.1.0 Modules/main.c:776',
        '@start',
      ],
      [
        '@wait',
        '_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE libstdc++.so.6',
        '??? libgomp.so.1',
        '@thread',
      ],
    ],
  },
  {
    program: '/usr/bin/swupd',
    signal: 6,
    os: 'clear-linux-os',
    threads: [
      [
        '@malloc',
        'free libc.so.6 ./malloc/malloc.c:3398',
        'manifest_free $program src/swupd_lib/manifest.c:412',
        'load_mom $program src/swupd_lib/manifests.c:287',
        'update_main $program src/cmds/update.c:1004',
        'main $program src/main.c:338',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/ingestd',
    signal: 6,
    threads: [
      [
        '@throw',
        `_ZN6ingest6Parser4failERK${STRING} $program /usr/src/ingest/parser.cc:77`,
        `_ZN6ingest6Parser4nextERSt3mapI${STRING}${TO_STRING} $program /usr/src/ingest/parser.cc:141`,
        `${THREAD_OF_WORKER} $program /usr/include/c++/14/bits/std_thread.h:244`,
        '??? libstdc++.so.6',
        '@thread',
      ],
      [
        '@poll',
        '_ZN6ingest6Server3runEv $program /usr/src/ingest/server.cc:58',
        'main $program /usr/src/ingest/main.cc:22',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/clang++-19',
    signal: 11,
    threads: [
      [
        '64 × _ZN5clang4Sema17BuildCXXMemberRefEPNS_4ExprEb libclang-cpp.so.19.1',
        '_ZN5clang8ParseASTERNS_4SemaEbb libclang-cpp.so.19.1',
        'main $program',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/libexec/fwupd/fwupd',
    signal: 11,
    threads: [
      [
        'fu_device_get_backend_id libfwupdplugin.so ../libfwupdplugin/fu-device.c:1462',
        'fu_uefi_dbx_device_ensure_checksum libfwupdplugin.so',
        'fu_engine_plugin_device_added_cb libfwupdengine.so ../src/fu-engine.c:7205',
        '@glib',
        'main $program ../src/fu-main.c:183',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/lib/jvm/java-21/bin/java',
    signal: 6,
    threads: [
      [
        '@abort',
        '_ZN2os5abortEbPKvS1_ libjvm.so',
        '_ZN7VMError14report_and_dieEiPKcS1_P13__va_list_tagP6ThreadPhPKvS8_S1_im libjvm.so',
        'JVM_handle_linux_signal libjvm.so',
        '__restore_rt libc.so.6',
        '_ZN20G1ParScanThreadState10trim_queueEv libjvm.so',
        '_ZN6Thread8call_runEv libjvm.so',
        '@thread',
      ],
      ['@wait', '_ZN7Monitor4waitEm libjvm.so', '@thread'],
    ],
  },
  {
    program: '/usr/bin/postgres',
    signal: 11,
    threads: [
      [
        'heap_compare_slots $program',
        'binaryheap_remove_first $program',
        'ExecMergeAppend $program',
        'standard_ExecutorRun $program',
        'PortalRun $program',
        'PostgresMain $program',
        'ServerLoop $program',
        'main $program',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/dockerd',
    signal: 6,
    threads: [
      [
        'runtime.raise.abi0 $program runtime/sys_linux_amd64.s:154',
        'runtime.fatalpanic $program runtime/panic.go:1302',
        'runtime.gopanic $program runtime/panic.go:1017',
        'main.(*daemonCLI).start $program',
        'runtime.main $program runtime/proc.go:283',
        'runtime.goexit.abi0 $program runtime/asm_amd64.s:1700',
      ],
      ['runtime.futex.abi0 $program runtime/sys_linux_amd64.s:558', 'runtime.mcall $program runtime/asm_amd64.s:459'],
    ],
  },
  {
    program: '/usr/bin/smbd',
    signal: 6,
    threads: [
      [
        '@abort',
        'dump_core libsmbconf.so.0 ../../source3/lib/dumpcore.c:339',
        'smb_panic_s3 libsmbconf.so.0 ../../source3/lib/util.c:840',
        'smb_panic libsamba-util.so.0 ../../lib/util/fault.c:209',
        'vfs_default_durable_disconnect libsmbd-base-private-samba.so ../../source3/smbd/durable.c:236',
        'smbXsrv_connection_disconnect_transport libsmbd-base-private-samba.so',
        '_tevent_loop_once libtevent.so.0 ../../tevent.c:848',
        'main $program ../../source3/smbd/server.c:1978',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/zypper',
    signal: 6,
    os: 'opensuse-tumbleweed',
    threads: [
      [
        '@throw',
        '_ZN4zypp9exception8do_throwINS_9ExceptionEEEvRKT_ libzypp.so.1735',
        '_ZN4zypp11RepoManager15refreshMetadataERKNS_8RepoInfoENS0_24RawMetadataRefreshPolicyE libzypp.so.1735',
        '_Z20refresh_raw_metadataR6ZypperRKN4zypp8RepoInfoEb $program',
        'main $program',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/dnf5',
    signal: 11,
    os: 'fedora',
    threads: [
      [
        'solver_run_sat libsolv.so.1',
        'solver_solve libsolv.so.1',
        '_ZN7libdnf54base4Goal7resolveEv libdnf5.so.2',
        'main $program',
        '@start',
      ],
    ],
  },
];
