#!/bin/sh
# Installs telemetricsd-probe, which reports crashes and hardware errors of this machine to a telemetricsd server; run again, it
# upgrades it. It carries everything within: nothing is downloaded. To undo it: telemetricsd-probe uninstall
set -eu
umask 022
PATH=$PATH:/usr/sbin:/sbin

server='@SERVER@'
tid='@TID@'

name=telemetricsd-probe
program=/usr/local/bin/$name
unit=/etc/systemd/system/$name
conf=/etc/$name.conf
authorities=/etc/$name.pem

usage() {
  cat <<END
Usage: sudo sh $0 [OPTION]...

Makes this machine report to $server.

  --ca-file FILE  certificates (PEM) by which the server's is checked, instead of those of the system;
                  they are copied to $authorities, which the probe can read
  --proxy URL     the proxy through which the server is reached
  --help
END
}

main() {
  ca_file='' proxy=''
  while [ $# -gt 0 ]; do
    case $1 in
      --ca-file | --proxy)
        [ $# -gt 1 ] || die "$1 needs a value"
        if [ "$1" = --proxy ]; then proxy=$2; else ca_file=$2; fi
        shift 2
        ;;
      --help) usage && exit ;;
      *) die "unknown argument \"$1\"" ;;
    esac
  done
  check
  create_account
  [ -z "$ca_file" ] || put $authorities 644 <"$ca_file"
  write_probe | put "$program" 755
  write_config | put "$conf" 640
  write_service | put "$unit.service" 644
  write_timer | put "$unit.timer" 644
  start
}

say() { printf '%s\n' "$@"; }
die() { say "$name: $*" >&2 && exit 1; }

check() {
  [ "$(id -u)" -eq 0 ] || die 'this needs root: run it with sudo'
  for tool in systemctl journalctl curl awk sed grep find timeout sha256sum useradd; do
    command -v $tool >/dev/null || die "$tool is missing: install it with the package manager, then run this again"
  done
  [ -z "$ca_file" ] || grep -q 'BEGIN .*CERTIFICATE' "$ca_file" || die "--ca-file: $ca_file is no file with certificates in PEM form"
  case $proxy in *[!!-~]* | *[\"\\]*) die "--proxy: $proxy is no URL such as http://proxy.example.org:3128" ;; esac
}

create_account() {
  getent group $name >/dev/null || groupadd --system $name
  id $name >/dev/null 2>&1 || useradd --system --gid $name --no-create-home --home-dir /var/lib/$name \
    --shell "$(command -v nologin || echo /bin/false)" --comment 'telemetricsd probe' $name
}

# Writes a file as a whole: one that runs or is read at this moment stays what it was.
put() {
  mkdir -p "${1%/*}"
  rm -f "$1.new"
  (umask 077 && cat >"$1.new")
  chmod "$2" "$1.new"
  [ "$1" != $conf ] || chgrp $name "$1.new"
  mv -f "$1.new" "$1"
  ! command -v restorecon >/dev/null || restorecon "$1" 2>/dev/null || :
}

# What an admin has changed in the configuration stays, but for where to report to.
write_config() {
  say "server = $server" "tid = $tid"
  [ -z "$ca_file" ] || say "ca_file = $authorities"
  [ -z "$proxy" ] || say "proxy = $proxy"
  if [ -f $conf ]; then
    given="server|tid${ca_file:+|ca_file}${proxy:+|proxy}"
    grep -vE "^ *($given) *=" $conf || :
  else
    cat <<'END'
# Certificates by which that of the server is checked, instead of those of the system
#ca_file = /etc/telemetricsd-probe.pem
#proxy = http://proxy.example.org:3128
# What is sent. There is also failed-units.
#send = coredumps kernel hardware heartbeat updates
# changing: the id of this machine is another one every 3 days. fixed: it stays the same.
#machine_id = changing
# A command that prints the build of the system, where /etc/os-release has none
#build_command =
END
  fi
}

start() {
  if [ ! -d /run/systemd/system ]; then
    systemctl enable -q $name.timer
    say "$name is installed. It begins to report when this system is started."
    return
  fi
  systemctl daemon-reload
  systemctl enable -q $name.timer
  systemctl restart $name.timer
  # This ends a pause, says why nothing could be sent, and fails then.
  sent=0
  $program run || sent=$?
  say '' "What would be sent: sudo $program preview" "To undo this:       sudo $program uninstall"
  return $sent
}

write_probe() {
  cat <<'END_OF_PROBE'
@PROBE@
END_OF_PROBE
}

write_service() {
  cat <<'END_OF_SERVICE'
@SERVICE@
END_OF_SERVICE
}

write_timer() {
  cat <<'END_OF_TIMER'
@TIMER@
END_OF_TIMER
}

main "$@"
