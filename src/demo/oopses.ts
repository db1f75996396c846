/** A kernel's own report. */
export interface Oops {
  classification: string;
  severity: 2 | 4;
  share: number;
  text: string;
}

// The kernel's ring buffer cuts longer lines, so the rest of the list is lost.
const LONGEST_LINE = 620;

const COMMON =
  'tls snd_seq_dummy snd_hrtimer rfcomm nf_conntrack_netlink xt_addrtype br_netfilter xt_CHECKSUM xt_MASQUERADE ' +
  'xt_conntrack ipt_REJECT nf_reject_ipv4 xt_tcpudp nft_compat nft_chain_nat nf_nat nf_conntrack nf_defrag_ipv6 ' +
  'nf_defrag_ipv4 nf_tables bridge stp llc overlay qrtr cmac algif_hash algif_skcipher af_alg bnep binfmt_misc ' +
  'nls_iso8859_1';
const LAPTOP =
  `${COMMON} snd_sof_pci_intel_tgl snd_sof_intel_hda_common soundwire_intel snd_hda_codec_hdmi snd_hda_intel iwlmvm ` +
  'mac80211 i915 ttm drm_display_helper cec btusb uvcvideo videobuf2_v4l2 processor_thermal_device typec_ucsi';
const SERVER =
  'rpcsec_gss_krb5 nfsv4 nfs lockd grace ip_set bonding ipmi_ssif intel_rapl_msr i10nm_edac nfit pkg_temp_thermal ' +
  'coretemp kvm_intel kvm ast mei_me acpi_ipmi ipmi_si ipmi_devintf dm_multipath raid10 mlx5_ib ib_core mlx5_core';
const GRAPHICS = `nvidia_uvm(PO) nvidia_drm(PO) nvidia_modeset(PO) nvidia(PO) ${COMMON} amd64_edac kvm_amd`;

const SYSCALL = ['do_syscall_64', 'entry_SYSCALL_64_after_hwframe'];
const KTHREAD = ['kthread', 'ret_from_fork', 'ret_from_fork_asm'];
const IDLE = ['cpuidle_enter', 'do_idle', 'cpu_startup_entry', 'start_secondary', 'common_startup_64'];
const WORKER = ['process_one_work', 'worker_thread', ...KTHREAD];

const WARNING = 'org.clearlinux/kernel/warning';
const BUG = 'org.clearlinux/kernel/bug';
const PANIC = 'org.clearlinux/kernel/panic';
const OVERFLOW = 'org.clearlinux/kernel/stackoverflow';
// Older probes used such a classification below both domains.
const TWO_DOMAIN_WARNING = 'crash/kernel/warning';
const TWO_DOMAIN_BUG = 'crash/kernel/bug';

/** The reports of the fleet's kernels; `MODULE:function` names a frame's module, `?` marks an unreliable frame. */
export function oopses(): Oops[] {
  const fault = 'unable to handle page fault for address: ffff{hex4}{hex8}';
  const queue = ['? __queue_work', 'dev_watchdog', 'call_timer_fn', '? dev_deactivate_queue', '__run_timers'];
  const display = ['amdgpu:dc_stream_log', 'amdgpu:dm_crtc_high_irq', '? __pfx_dm_crtc', 'drm:drm_atomic_commit'];
  const wifi = ['iwlwifi:iwl_trans_pcie_read', 'iwlmvm:iwl_mvm_stop_device', '? mutex_lock', 'mac80211:ieee80211_stop'];
  const stat = ['? xas_load', 'filemap_fault', '__do_fault', 'handle_mm_fault', 'exc_page_fault'];
  return [
    oops(WARNING, 2, 10, 'WARNING: at net/sched/sch_generic.c:526 dev_watchdog+0x23e/0x250', LAPTOP, [
      ...queue,
      ...IDLE,
    ]),
    oops(WARNING, 2, 7, 'WARNING: at drivers/gpu/drm/amd/display/dc/dc.c:{number+900}', GRAPHICS, [
      ...display,
      ...SYSCALL,
    ]),
    oops(WARNING, 2, 5, 'WARNING: at drivers/net/wireless/intel/iwlwifi/pcie/trans.c:2158', LAPTOP, [
      ...wifi,
      ...WORKER,
    ]),
    oops(WARNING, 2, 3, 'WARNING: at kernel/rcu/tree_stall.h:{number+900}', SERVER, ['rcu_sched_clock_irq', ...IDLE]),
    oops(TWO_DOMAIN_WARNING, 2, 2, 'WARNING: at fs/btrfs/extent-tree.c:3089', SERVER, [
      'btrfs:__btrfs_free_extent',
      '? btrfs:btrfs_merge_delayed_refs',
      'btrfs:btrfs_run_delayed_refs',
      'btrfs:transaction_kthread',
      ...KTHREAD,
    ]),
    oops(BUG, 4, 6, `BUG: ${fault}`, LAPTOP, [...stat, 'asm_exc_page_fault'], 'registers'),
    oops(BUG, 4, 4, 'BUG: kernel NULL pointer dereference, address: 0000000000000{number}', SERVER, [
      'mlx5_core:mlx5e_poll_rx_cq',
      '? mlx5_core:mlx5e_napi_poll',
      '__napi_poll',
      'net_rx_action',
      'handle_softirqs',
      ...IDLE,
    ]),
    oops(BUG, 4, 3, 'kernel BUG at mm/slub.c:{number+900}!', GRAPHICS, []),
    oops(
      BUG,
      4,
      2,
      `BUG: ${fault}`,
      GRAPHICS,
      ['? nvidia:_nv042109rm', '? nvidia:_nv011842rm', ...SYSCALL],
      'registers',
    ),
    oops(TWO_DOMAIN_BUG, 2, 2, 'BUG: soft lockup - CPU#{cpu} stuck for {number+60}s! [kworker/{cpu}:1:{pid}]', SERVER, [
      'smp_call_function_many_cond',
      '? flush_tlb_func',
      'on_each_cpu_cond_mask',
      'text_poke_bp_batch',
      ...WORKER,
    ]),
    oops(PANIC, 4, 2, 'Kernel panic - not syncing: Fatal exception in interrupt', SERVER, [
      'panic',
      'oops_end',
      ...IDLE,
    ]),
    oops(PANIC, 4, 1, 'Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)', '', [
      'dump_stack_lvl',
      'panic',
      'mount_root_generic',
      'prepare_namespace',
      'kernel_init',
      'ret_from_fork',
    ]),
    oops(OVERFLOW, 4, 1, 'BUG: stack guard page was hit at ffff{hex4}{hex8} (stack is {hex16}..{hex16})', LAPTOP, [
      'xfs:xfs_bmapi_write',
      '? xfs:xfs_trans_reserve',
      ...Array.from({ length: 18 }, () => 'overlay:ovl_lookup_single'),
      'vfs_statx',
      ...SYSCALL,
    ]),
  ];
}

function oops(
  classification: string,
  severity: 2 | 4,
  share: number,
  reason: string,
  modules: string,
  frames: string[],
  registers?: 'registers',
): Oops {
  const tainted = modules === GRAPHICS ? 'P           OE' : severity === 4 ? 'G      D' : 'Not tainted';
  const lines = [
    'Crash Report:',
    `Reason: ${reason}`,
    `Kernel Version : {kernel} #1 {hardware}`,
    `Tainted : ${tainted}`,
  ];
  if (modules) lines.push(`Modules : ${modules}`.slice(0, LONGEST_LINE));
  if (frames.length > 0) lines.push('Backtrace :', ...(registers ? REGISTERS : []), ...frames.map(frameLine));
  return { classification, severity, share, text: `${lines.join('\n')}\n` };
}

const REGISTERS = 'EFLAGS RSP RCX RBX RAX RDI RSI RDX R09 R08 RBP R12 R11 R10 R15 R14 R13 FS CS CR4 CR3 CR2'
  .split(' ')
  .map((name, index) => `Register ${name}: ${index % 3 === 2 ? 'Zero' : 'Non-zero'}`);

function frameLine(frame: string, index: number): string {
  const unreliable = frame.startsWith('? ') ? '? ' : '';
  const [first, second] = frame.slice(unreliable.length).split(':') as [string, string?];
  return `#${index + 1} ${unreliable}${second ?? first} - [${second ? first : 'kernel'}]`;
}
