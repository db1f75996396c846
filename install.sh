#!/bin/sh
# Installs telemetricsd on this machine, or upgrades it. See ./install.sh --help.
set -eu
umask 022
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

usage() {
  cat <<'END'
Usage: sudo ./install.sh [OPTION]...

Installs telemetricsd as a service, or upgrades the one that is installed. Takes the executable beside this script or
in dist/; in a checkout it is built where it is missing or older than the sources. Nothing is downloaded by the script.

  --listen ADDR   where machines post their records, for a new configuration (default :8080, port 8080 of every address).
  --pages ADDR    where people look at them, for a new configuration (default 127.0.0.1:8081, which is this host alone;
                  from :8081 they can be reached from elsewhere, and people have to sign in)
  --prefix DIR    where bin/telemetricsd goes (default /usr/local)
  --no-start      do not start the service
  --uninstall     remove the program and the service; configuration and data stay
  --purge         remove these as well, with the user telemetricsd; asks before, and without a terminal needs --yes
  --yes           do not ask
  --dry-run       only say what would be done
  --help

An upgrade looks first whether the new version can take over (telemetricsd migrate --check). If the database must be
migrated, the service is stopped and a backup is made before. If the new version does not become ready, the old one comes
back, with the data of that backup where they had been migrated.

Exit codes: 0 done, 1 not done, or undone again; 2 wrong usage.
END
}

service=telemetricsd
user=telemetricsd
unit=/etc/systemd/system/$service.service
config_dir=/etc/telemetricsd
config=$config_dir/config.toml
default_state=/var/lib/telemetricsd
backups=/var/backups/telemetricsd
default_listen=:8080
default_pages=127.0.0.1:8081
here=$(cd "$(dirname "$0")" && pwd)

action=install
prefix=
listen=
pages=
start=yes
yes=
dry_run=

main() {
  parse_arguments "$@"
  if [ -z "$dry_run" ] && [ "$(id -u)" -ne 0 ]; then die "this needs root: sudo $0 $*"; fi
  [ -z "$dry_run" ] || say 'Dry run: nothing is changed.'
  find_installed
  case $action in
    install)
      find_candidate
      if [ -n "$installed" ]; then upgrade; else install_new; fi
      ;;
    *) uninstall ;;
  esac
}

parse_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --listen | --pages | --prefix)
        [ $# -gt 1 ] || misuse "$1 needs a value"
        case $1 in
          --listen) listen=$2 ;;
          --pages) pages=$2 ;;
          --prefix) prefix=${2%/} ;;
        esac
        shift
        ;;
      --listen=*) listen=${1#*=} ;;
      --pages=*) pages=${1#*=} ;;
      --prefix=*) prefix=${1#*=} prefix=${prefix%/} ;;
      --no-start) start= ;;
      --uninstall) [ $action = purge ] || action=uninstall ;;
      --purge) action=purge ;;
      --yes) yes=yes ;;
      --dry-run) dry_run=yes ;;
      --help | -h) usage && exit 0 ;;
      *) misuse "unknown argument \"$1\"" ;;
    esac
    shift
  done
  case $prefix in
    '' | /*) ;;
    *) misuse "--prefix: got \"$prefix\", expected a directory that starts with /" ;;
  esac
  case $prefix in
    *[!A-Za-z0-9/._-]*) misuse "--prefix: only letters, digits and / . _ - are allowed" ;;
    /home | /home/* | /root | /root/* | /tmp | /tmp/*) misuse "--prefix: the service can't see what lies in $prefix" ;;
  esac
}

# ---- what is there ----

# Sets installed (empty if nothing is installed), bin and state.
find_installed() {
  installed=
  [ ! -f $unit ] || installed=$(sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' $unit)
  if [ -n "$installed" ] && [ -n "$prefix" ] && [ "$installed" != "$prefix/bin/telemetricsd" ]; then
    die "telemetricsd is installed as $installed" "Leave --prefix out, or run $0 --uninstall first (it keeps the data)."
  fi
  bin=${installed:-${prefix:-/usr/local}/bin/telemetricsd}
  if [ -x "$bin" ]; then installed=$bin; else installed=; fi
  state=$default_state
}

# Sets candidate, the executable to install.
find_candidate() {
  [ -f "$here/systemd/$service.service" ] || die "systemd/$service.service is missing beside $0" 'Copy it from the release.'
  if [ -f "$here/telemetricsd" ]; then candidate=$here/telemetricsd; else candidate=$here/dist/telemetricsd; fi
  if [ "$candidate" = "$here/dist/telemetricsd" ] && [ -f "$here/package.json" ] && must_build; then build; fi
  if [ ! -f "$candidate" ]; then
    [ -n "$dry_run" ] || die "there is no telemetricsd beside $0 or in dist/" 'Copy the executable there.'
    exit 0
  fi
  new_version=$("$candidate" version 2>&1 | sed -n 's/^telemetricsd //p') || new_version=
  [ -n "$new_version" ] ||
    die "$candidate does not run here" 'It needs a 64-bit Linux with glibc, on the kind of processor it was built for.'
}

must_build() {
  [ -f "$candidate" ] || return 0
  [ -n "$(cd "$here" && find package.json bun.lock src sql views static -newer "$candidate" -type f | head -n 1)" ]
}

build() {
  command -v npm >/dev/null || die "the executable is missing or older than the sources, and npm is not here to build it" \
    "Install Node 18 or newer with npm, or copy a built executable to $candidate."
  if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then
    home=$(getent passwd "$SUDO_USER" | cut -d: -f6)
    change "build the executable (npm run build, as $SUDO_USER)" \
      runuser -u "$SUDO_USER" -- env HOME="$home" npm --prefix "$here" run --silent build
  else
    change 'build the executable (npm run build)' npm --prefix "$here" run --silent build
  fi
}

# ---- a new installation ----

install_new() {
  say "Installing telemetricsd $new_version."
  choose_listen
  create_account
  create_directories
  change "install $bin" put_executable
  create_config
  mend_owner
  take_over_data
  put_unit
  label
  start_new
}

# An earlier installation was removed but left its data.
take_over_data() {
  { [ -z "$dry_run" ] && [ -d "$state/data" ]; } || return 0
  new=$bin
  critical=
  trap leave EXIT
  preflight
  trap - EXIT
  [ -z "$pending" ] || warn "The server migrates the data when it starts. No backup is made: only the version that wrote them can do that."
}

create_account() {
  getent group $user >/dev/null || change "create the group $user" groupadd --system $user
  id $user >/dev/null 2>&1 || change "create the user $user" useradd --system --gid $user --no-create-home \
    --home-dir $default_state --shell "$(command -v nologin || echo /bin/false)" --comment 'telemetry server' $user
}

create_directories() {
  [ -d $default_state ] || change "create $default_state" install -d -m 700 -o $user -g $user $default_state
  # Made before the service starts, so that the service may write there.
  [ -d $backups ] || change "create $backups" install -d -m 700 -o $user -g $user $backups
  [ -d $config_dir ] || change "create $config_dir" install -d -m 750 -g $user $config_dir
}

# After telemetricsd was started by hand as root, its files would keep the service from starting.
mend_owner() {
  [ -n "$dry_run" ] || state=$(setting "$bin" state dir)
  state=${state:-$default_state}
  service_runs || assert_no_other
  uid=$(id -u $user 2>/dev/null) || uid=4294967294
  for path in "$state" "$state"/data "$state"/pg "$state"/run $backups; do
    [ -n "$(find "$path" ! -uid "$uid" -print -quit 2>/dev/null)" ] || continue
    # Only the state.dir directory itself, since it may also hold other things.
    deep=-R
    [ "$path" != "$state" ] || deep=
    [ -n "$deep" ] || [ "$(stat -c %u "$path")" != "$uid" ] || continue
    change "give $path to the user $user" chown $deep -h $user:$user "$path"
  done
}

put_executable() {
  mkdir -p "$(dirname "$bin")"
  cp "$candidate" "$bin.new"
  chmod 755 "$bin.new"
  mv -f "$bin.new" "$bin"
}

# Sets settings, the content of a new configuration, before anything is changed, since the addresses may be wrong.
choose_listen() {
  if [ -e $config ]; then
    [ -z "$listen$pages" ] || warn "$config exists and stays as it is: --listen and --pages have no effect. Change http.listen there."
    return
  fi
  [ -n "$listen" ] || ask_address listen $default_listen \
    'Where may machines post their records? :8080 means port 8080 of every address of this host.'
  [ -n "$pages" ] || ask_address pages $default_pages \
    'Where may people look at them? 127.0.0.1:8081 serves only this host. With :8081 other hosts reach the pages too,' \
    'and people have to sign in.'
  settings=$(env -i TELEMETRICSD_HTTP_LISTEN="$listen=collector,$pages" "$candidate" config --config /dev/null) || exit 1
}

# Sets the variable $1 to the answer, or to $2.
ask_address() {
  variable=$1 answer=$2
  shift 2
  if [ -t 0 ] && [ -t 1 ] && [ -z "$dry_run" ]; then
    say "$@"
    printf 'Address [%s]: ' "$answer"
    read -r given || given=
    answer=${given:-$answer}
  fi
  eval "$variable=\$answer"
}

create_config() {
  [ -e $config ] || change "create $config (records on $listen, pages on $pages)" write_config
}

# Writes every setting with its description, and its default as a comment, so that defaults of later versions take
# effect.
write_config() {
  {
    echo '# The configuration of telemetricsd. Remove the "# " before a line to change its value; then: systemctl restart telemetricsd'
    printf '%s\n' "$settings" | awk '
      /^\[/ { begun = 1 }
      !begun { next }
      /^# from: / { given = ($3 != "default"); next }
      /^$/ { given = 0 }
      /^[^#[]/ && !given { $0 = "# " $0 }
      { print }'
  } >"$config.new"
  chmod 640 "$config.new"
  chgrp $user "$config.new"
  mv "$config.new" $config
}

start_new() {
  if ! has_systemd; then
    tell_left_out
  elif [ -z "$start" ]; then
    say "The service is not started (--no-start): systemctl start $service"
  else
    change "start $service" start_service || fail_new
  fi
  [ -n "$dry_run" ] || tell_next
}

fail_new() {
  show_log
  die "$service did not become ready" "Fix what its log says, then: systemctl start $service"
}

# ---- the service ----

has_systemd() {
  [ -d /run/systemd/system ] && command -v systemctl >/dev/null
}

# Installs the unit if it is new or has changed, and enables it.
put_unit() {
  unit_changed=
  unit_text=$(sed "s|^ExecStart=[^ ]*|ExecStart=$bin|" "$here/systemd/$service.service")
  if ! command -v systemctl >/dev/null; then return; fi
  if [ ! -f $unit ] || [ "$unit_text" != "$(cat $unit)" ]; then
    unit_changed=yes
    change "install $unit" write_unit
    ! has_systemd || change 'let systemd read its units again' systemctl daemon-reload
  fi
  systemctl is-enabled -q $service 2>/dev/null || change "enable $service, so that it starts with the system" \
    systemctl enable -q $service
}

write_unit() {
  mkdir -p "$(dirname $unit)"
  printf '%s\n' "$unit_text" >$unit
}

# Under SELinux (Fedora), systemd runs only files with the context of a program, which copying does not always give.
label() {
  { [ -z "$dry_run" ] && command -v restorecon >/dev/null; } || return 0
  restorecon "$bin" $unit $config_dir $config $default_state $backups 2>/dev/null || true
}

service_runs() {
  has_systemd && systemctl is-active -q $service
}

# With Type=notify, systemctl returns when the server is ready. Also fails if the server ends within the next seconds.
start_service() {
  start_time=$(date +%s)
  systemctl reset-failed $service 2>/dev/null || true
  systemctl start $service || return 1
  sleep 3
  systemctl is-active -q $service && [ "$(systemctl show -p NRestarts --value $service)" = 0 ]
}

restart_service() {
  systemctl stop $service && start_service
}

show_log() {
  ! command -v journalctl >/dev/null || journalctl -u $service --since "@$start_time" -n 20 --no-pager -o cat >&2 || true
}

tell_left_out() {
  warn 'systemd does not run here. Not done: starting the service, waiting until it is ready, watchdog and hardening.' \
    "To run the server: runuser -u $user -- $bin serve"
  command -v systemctl >/dev/null || warn 'There is no systemctl, so no unit was installed: it will not start with the system.'
}

tell_next() {
  say '' "telemetricsd $new_version is installed." ''
  as_service "$bin" welcome
  if command -v systemctl >/dev/null; then
    say '' "  Configuration         $config (then: systemctl restart $service)" "  Log                   journalctl -u $service"
  else
    say '' "  Configuration         $config (the server reads it when it starts)"
  fi
  say '  Upgrade               run the install.sh of the new version'
  addresses=$(configured_addresses)
  tell_addresses
  tell_firewall
}

# The addresses of http.listen, one a line: the address, and what it serves.
configured_addresses() {
  as_service "$bin" config |
    awk '/^\[/ { http = ($0 == "[http]") } http && /^listen = / { list = 1 } list { print } list && /\]$/ { exit }' |
    grep -o '{ address = "[^"]*", serves = "[a-z]*" }\|"[^"]*"' |
    sed 's/{ address = "\(.*\)", serves = "\(.*\)" }/\1 \2/; s/^"\(.*\)"$/\1 all/'
}

# The addresses on stdin that other machines can reach.
open_to_others() {
  grep -v '^$\|^\(https:\/\/\)\?\(127\.\|localhost:\|\[::1\]\)' || true
}

tell_addresses() {
  host=$(uname -n)
  takes=$(printf '%s\n' "$addresses" | sed -n '/^unix:/!s/ \(all\|collector\)$//p')
  open=$(printf '%s\n' "$takes" | open_to_others | head -n 1)
  say ''
  if [ -n "$open" ]; then
    scheme=http
    [ "$open" = "${open#https://}" ] || scheme=https
    open=${open#https://}
    case ${open%:*} in
      '' | 0.0.0.0 | '[::]') say "Machines report to $scheme://$host:${open##*:}." ;;
      *) say "Machines report to $scheme://$open." ;;
    esac
  elif [ -n "$takes" ]; then
    say "Machines can't report yet: only this host reaches the address for records (http.listen in $config)."
  fi
  shows=$(printf '%s\n' "$addresses" | sed -n '/^unix:/!s/ \(all\|pages\)$//p')
  [ -z "$(printf '%s\n' "$shows" | open_to_others)" ] && [ "$(setting "$bin" access mode)" != accounts ] || return 0
  shown=$(printf '%s\n' "$shows" | head -n 1)
  case $shown in
    127.* | localhost:*)
      say 'Nobody has to sign in to see the pages, so only this host reaches them. From your desk:' \
        "  ssh -N -L ${shown##*:}:$shown $host      and open http://localhost:${shown##*:}/telemetryui"
      ;;
  esac
}

# Fedora and openSUSE come with a firewall that blocks everything; on Ubuntu one may have been switched on.
tell_firewall() {
  firewalld=
  ufw=
  for address in $(printf '%s\n' "$addresses" | cut -d' ' -f1); do
    case ${address#https://} in
      127.* | localhost:* | '[::1]'* | unix:*) continue ;;
    esac
    firewalld="$firewalld --add-port=${address##*:}/tcp"
    ufw="$ufw${ufw:+ && }ufw allow ${address##*:}/tcp"
  done
  [ -n "$ufw" ] || return 0
  if command -v firewall-cmd >/dev/null && firewall-cmd --state >/dev/null 2>&1; then
    say '' "A firewall runs here. To let them in: firewall-cmd --permanent$firewalld && firewall-cmd --reload"
  elif command -v ufw >/dev/null && ufw status 2>/dev/null | grep -q '^Status: active'; then
    say '' "A firewall runs here. To let them in: $ufw"
  fi
}

# ---- an upgrade ----

upgrade() {
  old_version=$("$installed" version 2>/dev/null | sed -n 's/^telemetricsd //p') || old_version=unknown
  choose_listen
  create_account
  create_directories
  create_config
  mend_owner
  if [ "$(sha256sum <"$candidate")" = "$(sha256sum <"$bin")" ]; then repair; else replace; fi
}

# The same executable is installed already: adds anything else that is missing.
repair() {
  say "telemetricsd $new_version is installed already."
  put_unit
  label
  if ! has_systemd; then
    tell_left_out
  elif [ -n "$start" ] && { [ -n "$unit_changed" ] || ! service_runs; }; then
    change "start $service" restart_service || fail_new
  fi
}

replace() {
  say "Upgrading telemetricsd $old_version to $new_version."
  assert_can_stop
  backup=
  swapped=
  was_running=
  new=$bin.new
  critical=
  trap leave EXIT
  if [ -n "$dry_run" ]; then
    say "would look whether $new_version can take over (migrate --check), and stop here if not" \
      "would stop $service; if migrations are pending, make a backup and migrate" \
      "would replace $bin and $unit, start $service, and bring everything back if it does not become ready"
    return
  fi
  cp "$candidate" "$new"
  chmod 755 "$new"
  preflight
  trap '' HUP
  trap 'roll_back "The upgrade was interrupted."' INT TERM
  critical=yes
  stop_service
  if [ -n "$pending" ]; then
    make_backup
    say 'migrating the database'
    as_service "$new" migrate || roll_back 'The database could not be migrated.'
  fi
  swap
  if ! has_systemd; then
    tell_left_out
  elif [ -n "$start" ]; then
    say "starting $service"
    start_service || { show_log && roll_back "telemetricsd $new_version did not become ready."; }
  fi
  critical=
  say "telemetricsd $new_version is installed. The old executable is kept as $bin.previous."
  [ -z "$backup" ] || say "The backup from before the migration: $backup"
}

# Handles any failure between stopping the old version and the new one being ready.
leave() {
  rm -f "$new"
  [ -z "$critical" ] || roll_back 'The upgrade failed.'
}

assert_can_stop() {
  if service_runs; then
    [ -n "$start" ] || die "$service runs, and an upgrade starts it again" "Leave --no-start out, or first: systemctl stop $service"
    if systemctl show -p Environment -p EnvironmentFiles $service | grep -q 'TELEMETRICSD_\|^EnvironmentFiles=.'; then
      die "the unit sets TELEMETRICSD_ variables, which checks and backups by this script would not see" \
        "Move these settings to $config (systemctl edit $service)."
    fi
  else
    assert_no_other
  fi
}

# Refuses a server that this script can't stop and start: one run by hand, or without systemd.
assert_no_other() {
  owner=$(cut -d' ' -f1 "$state/telemetricsd.pid" 2>/dev/null) || return 0
  case $(readlink "/proc/$owner/exe") in
    */telemetricsd* | */bun) die "a telemetricsd that is no service runs here (process $owner)" "Stop it: kill $owner" ;;
  esac
}

# Sets pending (to yes if the database has to be migrated), state and external.
preflight() {
  pending=
  status=0
  report=$(as_service "$new" migrate --check) || status=$?
  [ -z "$report" ] || say "$report"
  case $status in
    0 | 3) ;;
    *) die "telemetricsd $new_version can't take over and was not put in place" 'Fix the problem above and run this again.' ;;
  esac
  state=$(setting "$new" state dir)
  [ -n "$state" ] || die "telemetricsd $new_version does not print its state.dir; nothing was changed"
  external=$(setting "$new" database url)
  [ $status -eq 0 ] || pending=yes
}

stop_service() {
  has_systemd || return 0
  ! service_runs || was_running=yes
  say "stopping $service"
  systemctl stop $service
}

# Made while the server is stopped: a later record would be lost if the backup is restored.
make_backup() {
  # If the old version would have to migrate as well, it never ran, so there is nothing to back up.
  status=0
  as_service "$bin" migrate --check >/dev/null 2>&1 || status=$?
  [ $status -ne 3 ] || return 0
  wanted=$backups/before-$new_version-$(date -u +%Y%m%d-%H%M%S).backup
  say "backing up to $wanted"
  as_service "$bin" backup "$wanted" || roll_back 'The backup could not be made.'
  backup=$wanted
}

swap() {
  old_unit=$(cat $unit 2>/dev/null) || old_unit=
  ln -f "$bin" "$bin.previous"
  swapped=yes
  mv -f "$new" "$bin"
  put_unit
  label
}

# Says why, brings back the old version, and exits with 1.
roll_back() {
  trap '' INT TERM
  critical=
  set +e
  warn "$1 Going back to telemetricsd $old_version."
  ! has_systemd || systemctl stop $service
  if [ -n "$swapped" ]; then
    mv -f "$bin.previous" "$bin"
    [ -z "$old_unit" ] || printf '%s\n' "$old_unit" >$unit
    ! has_systemd || systemctl daemon-reload
    warn "The old executable is back: $bin"
  fi
  [ -z "$backup" ] || restore_data
  if [ -n "$was_running" ]; then
    if start_service; then
      warn "$service runs again with telemetricsd $old_version."
    else
      show_log
      warn "$service does NOT run: see journalctl -u $service"
    fi
  fi
  exit 1
}

# The old version itself shows whether a migration was committed: it refuses a newer database.
restore_data() {
  if as_service "$bin" migrate --check >/dev/null 2>&1; then
    warn 'No migration was committed: the data are as they were.'
    return
  fi
  if [ -n "$external" ]; then
    was_running=
    warn 'Migrations were committed to the database of database.url, which this script does not empty. To go back to the data from' \
      "before: name an empty database in $config, then" \
      "  runuser -u $user -- $bin restore $backup && systemctl start $service" \
      'or fix the cause and upgrade again.'
    return
  fi
  aside=$state/data.migrated-$(date -u +%Y%m%d-%H%M%S)
  warn "Migrations were committed: restoring the backup. The migrated data are kept in $aside"
  mv "$state/data" "$aside"
  if as_service "$bin" restore "$backup"; then
    warn 'The data are as they were before the upgrade.'
  else
    was_running=
    warn "The backup could NOT be restored. It is untouched: $backup" \
      "Once the cause is fixed: rm -rf $state/data && runuser -u $user -- $bin restore $backup && systemctl start $service"
  fi
}

# ---- removing ----

uninstall() {
  state=
  if [ -n "$installed" ] && [ "$(id -u)" -eq 0 ]; then
    state=$(setting "$installed" state dir)
  elif [ -r $config ]; then
    state=$(sed -n '/^\[state\]/,/^\[/s/^dir = "\(.*\)"$/\1/p' $config)
  fi
  state=${state:-$default_state}
  service_runs || assert_no_other
  [ $action = uninstall ] || confirm_purge
  if has_systemd && [ -f $unit ]; then
    change "stop $service" systemctl stop $service
  fi
  if [ -f $unit ]; then
    change "disable $service" systemctl disable -q $service
    change "remove $unit" rm -f $unit
    ! has_systemd || change 'let systemd read its units again' systemctl daemon-reload
  fi
  for file in "$bin" "$bin.previous" "$bin.new"; do
    [ ! -e "$file" ] || change "remove $file" rm -f "$file"
  done
  if [ $action = purge ]; then purge; else say "Configuration and data stay: $config and $state. --purge removes them too."; fi
}

confirm_purge() {
  [ -z "$yes$dry_run" ] || return 0
  [ -t 0 ] || die 'nothing was removed: you have to confirm that all records go' "Add --yes."
  printf 'All records in %s will be gone, with the backups that upgrades made. Type "purge" to go on: ' "$state"
  read -r answer || answer=
  [ "$answer" = purge ] || die 'nothing was removed'
}

# Only what the program made, and the certificates copied for it: state.dir may hold other things too.
purge() {
  for path in "$state"/data "$state"/data.* "$state"/pg "$state"/run "$state"/telemetricsd.pid* \
    "$backups"/before-*.backup "$config" $config_dir/tls $unit.d /var/cache/telemetricsd; do
    [ ! -e "$path" ] || change "remove $path" rm -rf "$path"
  done
  set -- "$state"
  [ "$state" = $default_state ] || set -- "$state" $default_state
  for directory in "$@" $config_dir $backups; do
    [ ! -d "$directory" ] || change "remove $directory" rmdir "$directory" || warn "$directory stays: it holds other files."
  done
  ! has_systemd || change 'let systemd read its units again' systemctl daemon-reload
  ! id $user >/dev/null 2>&1 || change "remove the user $user" userdel $user
  ! getent group $user >/dev/null || change "remove the group $user" groupdel $user
}

# ---- small things ----

# Runs a command as the service would, with an empty environment.
as_service() (
  cd /
  exec runuser -u $user -- env -i PATH=/usr/bin:/bin "$@"
)

# setting PROGRAM SECTION KEY: prints the value in force, or nothing.
setting() {
  as_service "$1" config | sed -n "/^\[$2\]/,/^\[/s/^$3 = //p" | sed 's/^"\(.*\)"$/\1/'
}

# change WHAT COMMAND...: prints what it does, and does it unless this is a dry run.
change() {
  what=$1
  shift
  if [ -n "$dry_run" ]; then
    say "would $what"
  else
    say "$what"
    "$@"
  fi
}

say() {
  printf '%s\n' "$@"
}

warn() {
  printf '%s\n' "$@" >&2
}

# die MESSAGE [REMEDY]
die() {
  message=$1
  shift
  warn "install.sh: $message" "$@"
  exit 1
}

misuse() {
  warn "install.sh: $1" "Try: $0 --help"
  exit 2
}

main "$@"
