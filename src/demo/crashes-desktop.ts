import type { Signature } from './stack-notation.ts';

/** Crashes of desktop programs, the most frequent first. */
export const DESKTOP_CRASHES: Signature[] = [
  {
    program: '/usr/bin/gnome-shell',
    signal: 11,
    threads: [
      [
        'meta_window_get_work_area_for_logical_monitor libmutter-15.so.0 ../src/core/window.c:5719',
        'meta_window_update_monitor libmutter-15.so.0 ../src/core/window.c:3842',
        'meta_display_handle_monitors_changed libmutter-15.so.0 ../src/core/display.c:2911',
        'g_closure_invoke libgobject-2.0.so.0 ../gobject/gclosure.c:833',
        'signal_emit_unlocked_R.isra.0 libgobject-2.0.so.0 ../gobject/gsignal.c:3928',
        'g_signal_emit libgobject-2.0.so.0 ../gobject/gsignal.c:3606',
        '@glib',
        'meta_context_run_main_loop libmutter-15.so.0 ../src/core/meta-context.c:524',
        'main $program ../src/main.c:714',
        '@start',
      ],
      ['@poll', 'g_main_context_iterate_unlocked libglib-2.0.so.0 ../glib/gmain.c:4214', '@thread'],
      ['@wait', '??? libgallium-25.2.so', '??? libgallium-25.2.so', '@thread'],
    ],
    regression: 'compositor',
  },
  {
    program: '/usr/libexec/tracker-extract-3',
    signal: 11,
    threads: [
      [
        '??? libavcodec.so.61',
        '??? libavcodec.so.61',
        'avcodec_send_packet libavcodec.so.61',
        'extract_stream_tags libextract-libav.so ../src/tracker-extract/tracker-extract-libav.c:214',
        'get_metadata $program ../src/tracker-extract/tracker-extract.c:310',
        'single_thread_get_metadata $program ../src/tracker-extract/tracker-extract.c:502',
        'g_thread_proxy libglib-2.0.so.0 ../glib/gthread.c:892',
        '@thread',
      ],
      ['@poll', '@glib', 'main $program ../src/tracker-extract/tracker-main.c:418', '@start'],
    ],
  },
  {
    program: '/usr/lib/firefox/firefox',
    signal: 11,
    threads: [
      [
        '_ZN7mozilla2gl9GLContext17fGetGraphicsResetEv libxul.so',
        '_ZN7mozilla2wr12RenderThread17HandleDeviceResetENS_3gfx17DeviceResetReasonE libxul.so',
        '_ZN8nsThread16ProcessNextEventEbPb libxul.so',
        '_Z19NS_ProcessNextEventP9nsIThreadb libxul.so',
        '??? libnspr4.so',
        '@thread',
      ],
      ['@poll', '@glib', '_ZN10nsAppShell22ProcessNextNativeEventEb libxul.so', 'main $program', '@start'],
    ],
  },
  {
    program: '/usr/bin/plasmashell',
    signal: 6,
    threads: [
      [
        '@abort',
        '_ZNK14QMessageLogger5fatalEPKcz libQt6Core.so.6',
        '_ZN15QtWaylandClient15QWaylandDisplay17checkWaylandErrorEv libQt6WaylandClient.so.6',
        '_ZN7QObject5eventEP6QEvent libQt6Core.so.6',
        '_ZN19QApplicationPrivate13notify_helperEP7QObjectP6QEvent libQt6Widgets.so.6',
        '@qt',
        'main $program',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/Xwayland',
    signal: 6,
    threads: [
      [
        '@abort',
        'OsAbort $program ../os/utils.c:1423',
        'AbortServer $program ../os/log.c:872',
        'FatalError $program ../os/log.c:1010',
        'xwl_read_events $program ../hw/xwayland/xwayland-screen.c:587',
        'ospoll_wait $program ../os/ospoll.c:657',
        'WaitForSomething $program ../os/WaitFor.c:208',
        'Dispatch $program ../dix/dispatch.c:492',
        'dix_main $program ../dix/main.c:275',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/nautilus',
    signal: 6,
    threads: [
      [
        '@abort',
        'g_assertion_message libglib-2.0.so.0 ../glib/gtestutils.c:3506',
        'g_assertion_message_expr libglib-2.0.so.0 ../glib/gtestutils.c:3532',
        'nautilus_directory_emit_change_signals $program ../src/nautilus-directory.c:1624',
        'directory_load_callback $program ../src/nautilus-directory-async.c:1188',
        '@glib',
        'g_application_run libgio-2.0.so.0 ../gio/gapplication.c:2577',
        'main $program ../src/nautilus-main.c:78',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/libexec/gsd-color',
    signal: 11,
    threads: [
      [
        'cmsReadTag liblcms2.so.2 ../src/cmsio0.c:1617',
        'cd_icc_load libcolord.so.2 ../lib/colord/cd-icc.c:1121',
        'gcm_session_device_assign_profile_connect_cb $program ../plugins/color/gsd-color-state.c:911',
        'g_task_return_now libgio-2.0.so.0 ../gio/gtask.c:1361',
        '@glib',
        'main $program ../plugins/common/daemon-skeleton.h:232',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/evolution',
    signal: 11,
    threads: [
      [
        'camel_folder_summary_get libcamel-1.2.so.64 ./src/camel/camel-folder-summary.c:1905',
        'message_list_regen_thread libevolution-mail.so ./src/mail/message-list.c:6103',
        'g_task_thread_pool_thread libgio-2.0.so.0 ../gio/gtask.c:1583',
        'g_thread_pool_thread_proxy libglib-2.0.so.0 ../glib/gthreadpool.c:350',
        '@thread',
      ],
      ['@wait', 'g_cond_wait libglib-2.0.so.0 ../glib/gthread-posix.c:1577', '@thread'],
      [
        '@poll',
        '@glib',
        'gtk_main libgtk-3.so.0 ../gtk/gtkmain.c:1329',
        'main $program ./src/shell/main.c:668',
        '@start',
      ],
    ],
  },
  {
    program: '/opt/planner/bin/planner',
    signal: 6,
    threads: [
      [
        '@throw',
        '_ZSt24__throw_out_of_range_fmtPKcz libstdc++.so.6',
        '_ZNKSt6vectorI5RouteSaIS0_EE14_M_range_checkEm $program /usr/include/c++/14/bits/stl_vector.h:1160',
        '_ZN7planner5Graph8shortestERKSt6vectorI5RouteSaIS2_EEi $program /usr/src/planner/graph.cc:218',
        '_ZN7planner6Window7refreshEv $program /usr/src/planner/window.cc:94',
        '_ZN9QtPrivate15QSlotObjectBase4callEP7QObjectPPv libQt6Core.so.6',
        '@qt',
        'main $program /usr/src/planner/main.cc:31',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/gimp-3.0',
    signal: 8,
    threads: [
      [
        'gegl_downscale_2x2_float libgegl-0.4.so.0 ../gegl/gegl-algorithms-2x2-downscale.inc:61',
        'gegl_tile_handler_zoom_command libgegl-0.4.so.0 ../gegl/buffer/gegl-tile-handler-zoom.c:148',
        'gegl_tile_source_command libgegl-0.4.so.0 ../gegl/buffer/gegl-tile-source.h:100',
        'gegl_parallel_distribute_thread_func libgegl-0.4.so.0 ../gegl/gegl-parallel.c:404',
        'g_thread_proxy libglib-2.0.so.0 ../glib/gthread.c:892',
        '@thread',
      ],
      ['@wait', '@thread'],
      ['@wait', '@thread'],
      ['@poll', '@glib', 'app_run $program ../app/app.c:527', 'main $program ../app/main.c:875', '@start'],
    ],
  },
  {
    program: '/usr/bin/kwin_wayland',
    signal: 11,
    threads: [
      [
        '_ZN4KWin6Output10setEnabledEb libkwin.so.6',
        '_ZN4KWin10DrmBackend13updateOutputsEv libkwin.so.6',
        '_ZZN4KWin10DrmBackend10initializeEvENKUlvE_clEv libkwin.so.6',
        '_ZN9QtPrivate15QSlotObjectBase4callEP7QObjectPPv libQt6Core.so.6',
        '_ZN15QSocketNotifier9activatedE17QSocketDescriptorNS_4TypeENS_14QPrivateSignalE libQt6Core.so.6',
        '@qt',
        'main $program',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/gnome-software',
    signal: 5,
    threads: [
      [
        'g_log_structured_array libglib-2.0.so.0 ../glib/gmessages.c:569',
        'g_log_default_handler libglib-2.0.so.0 ../glib/gmessages.c:3357',
        'g_logv libglib-2.0.so.0 ../glib/gmessages.c:1430',
        'gs_plugin_loader_run_job $program ../lib/gs-plugin-loader.c:3604',
        'gs_overview_page_load $program ../src/gs-overview-page.c:1033',
        '@glib',
        'main $program ../src/gs-main.c:52',
        '@start',
      ],
    ],
  },
  {
    program: '/usr/bin/inkscape',
    signal: 11,
    threads: [
      [
        '_ZN8Inkscape11DrawingItem12setTransformERKN4Geom6AffineE libinkscape_base.so',
        '_ZN8Inkscape11DrawingItem6updateERKN4Geom7IntRectERKNS_13UpdateContextEjj libinkscape_base.so',
        '40 × _ZN8Inkscape12DrawingGroup11_updateItemERKN4Geom7IntRectERKNS_13UpdateContextEjj libinkscape_base.so',
        '_ZN8Inkscape7Drawing6updateERKN4Geom7IntRectERKNS1_6AffineEjj libinkscape_base.so',
        '@glib',
        'main $program',
        '@start',
      ],
    ],
  },
];
