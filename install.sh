#!/bin/sh
# Installs or upgrades telemetricsd. See --help.
set -eu

PREFIX=/usr/local
USER_NAME=telemetricsd
CONFIG_DIR=/etc/telemetricsd
CONFIG=$CONFIG_DIR/config.toml
STATE=/var/lib/telemetricsd
BACKUPS=/var/backups/telemetricsd
UNIT=/etc/systemd/system/telemetricsd.service
LISTEN=
ACTION=install
START=yes
DRY=

usage() {
  cat <<TEXT
Usage: sudo ./install.sh [OPTIONS]

Installs telemetricsd as a service, or upgrades it: the executable beside this script or in dist/, else one that is built in
this checkout (which needs Node 20 and npm). Nothing is downloaded otherwise. Run it again with a newer one to upgrade: pending
migrations are preceded by a backup, and if the new one does not become ready, the old one and its data come back.

  --listen ADDRESS   where records are taken, written into a new configuration (default :8080); pages stay on 127.0.0.1:8081,
                     since nobody has to sign in yet
  --prefix DIR       installs into DIR/bin (default $PREFIX)
  --no-start         does not enable, start or restart the service
  --dry-run          says what would be done and does nothing
  --uninstall        removes program and service; configuration and data stay
  --purge            removes these as well, and the user: every record is gone
  --help             this text
TEXT
}

say() { printf '%s\n' "$*"; }

fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

# Does it, or says that it would.
run() {
  if [ -n "$DRY" ]; then say "would: $*"; else "$@"; fi
}

has() { command -v "$1" >/dev/null 2>&1; }

has_systemd() { has systemctl && [ -d /run/systemd/system ]; }

main() {
  while [ $# -gt 0 ]; do
    case $1 in
      --listen) LISTEN=${2:?--listen needs an address such as :8080}; shift ;;
      --listen=*) LISTEN=${1#*=} ;;
      --prefix) PREFIX=${2:?--prefix needs a directory}; shift ;;
      --prefix=*) PREFIX=${1#*=} ;;
      --no-start) START= ;;
      --dry-run) DRY=yes ;;
      --uninstall) ACTION=uninstall ;;
      --purge) ACTION=purge ;;
      --help | -h) usage; exit 0 ;;
      *) usage >&2; fail "unknown option $1" ;;
    esac
    shift
  done
  case $PREFIX in /*) ;; *) fail "--prefix: got $PREFIX, expected a path that begins with /" ;; esac
  [ "$(id -u)" = 0 ] || [ -n "$DRY" ] || fail "must run as root: sudo ./install.sh"
  BIN=$PREFIX/bin/telemetricsd
  case $ACTION in
    install) install_or_upgrade ;;
    *) remove ;;
  esac
}

install_or_upgrade() {
  NEW=$(find_executable)
  [ -n "$DRY" ] || "$NEW" version >/dev/null || fail "$NEW does not run on this machine"
  if [ -x "$BIN" ] && [ -f "$CONFIG" ]; then
    upgrade
  else
    install_first
  fi
}

find_executable() {
  here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
  for candidate in "$here/telemetricsd" "$here/dist/telemetricsd"; do
    if [ -x "$candidate" ]; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  [ -f "$here/package.json" ] || fail "there is no telemetricsd beside this script; put the executable there"
  has npm || fail "there is no executable yet, and no npm to build it with; install Node 20 or newer"
  if [ -z "$DRY" ]; then (cd "$here" && npm run --silent build >&2) || fail "the build failed"; fi
  printf '%s\n' "$here/dist/telemetricsd"
}

install_first() {
  add_user
  run install -d -m 0755 "$PREFIX/bin" "$CONFIG_DIR"
  run install -d -m 0700 -o "$USER_NAME" -g "$USER_NAME" "$STATE"
  write_config
  put_executable
  write_unit
  start_service
  tell_what_next
}

add_user() {
  if id "$USER_NAME" >/dev/null 2>&1; then return; fi
  nologin=$(command -v nologin || echo /usr/sbin/nologin)
  run groupadd --system "$USER_NAME"
  run useradd --system --gid "$USER_NAME" --home-dir "$STATE" --no-create-home --shell "$nologin" "$USER_NAME"
}

write_config() {
  if [ -f "$CONFIG" ]; then
    say "$CONFIG stays as it is."
    return
  fi
  if [ -n "$DRY" ]; then
    say "would: write $CONFIG"
    return
  fi
  umask 027
  cat >"$CONFIG" <<TEXT
# Configuration of telemetricsd. "telemetricsd config" prints all settings with their documentation and defaults;
# after a change: systemctl restart telemetricsd

[http]
# Machines reach the first address. Pages and API are on the second one, for this host alone, since nobody has to sign in yet:
# reach them with "ssh -L 8081:127.0.0.1:8081 THIS-HOST", or put a proxy that authenticates in front.
listen = [{ address = "${LISTEN:-:8080}", serves = "collector" }, "127.0.0.1:8081"]

[collector]
# The TIDs ("tidheader" in a machine's telemetrics.conf) whose records are taken, each with the name of its fleet.
tids = [{ id = "6907c830-eed9-4ce9-81ae-76daf8d88f0f", name = "default" }]

[retention]
days = 35

[backup]
# dir = "/var/backups/telemetricsd"
TEXT
  chgrp "$USER_NAME" "$CONFIG"
}

# A copy under another name first: the file of a running program can't be written to.
put_executable() {
  run install -m 0755 "$NEW" "$BIN.new"
  run mv "$BIN.new" "$BIN"
}

write_unit() {
  if ! has systemctl; then
    say "There is no systemd: no service was set up. Start \"$BIN serve\" as the user $USER_NAME by your init system."
    return
  fi
  source=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)/systemd/telemetricsd.service
  [ -f "$source" ] || source=$(dirname -- "$NEW")/telemetricsd.service
  [ -f "$source" ] || fail "systemd/telemetricsd.service is missing beside this script"
  if [ -n "$DRY" ]; then
    say "would: write $UNIT"
    return
  fi
  sed "s#^ExecStart=.*#ExecStart=$BIN serve#" "$source" >"$UNIT"
  chmod 0644 "$UNIT"
  if has_systemd; then systemctl daemon-reload; fi
}

start_service() {
  if [ -z "$START" ] || ! has_systemd; then
    say "Not started${START:+: systemd does not run here}."
    return 0
  fi
  run systemctl enable --quiet telemetricsd
  # Type=notify: returns once records are taken, or with an error.
  run systemctl restart telemetricsd
}

tell_what_next() {
  port=${LISTEN##*:}
  say
  say "telemetricsd is installed."
  say "  Machines        server=http://$(hostname 2>/dev/null || echo THIS-HOST):${port:-8080}/v2/collector in their telemetrics.conf"
  say "  Pages           http://127.0.0.1:8081/telemetryui on this host"
  say "  Configuration   $CONFIG"
  say "  Log             journalctl -u telemetricsd"
  say "  Backup          telemetricsd backup FILE"
}

upgrade() {
  say "Upgrading $("$BIN" version | head -n 1) to $("$NEW" version | head -n 1)."
  pending=0
  "$NEW" migrate --check --config "$CONFIG" || pending=$?
  case $pending in
    0 | 3) ;;
    *) fail "the new version can't run here (see above); nothing was changed" ;;
  esac
  backup=
  # Where the installed one has migrations pending as well, it never ran, and there is nothing to back up.
  if [ "$pending" = 3 ] && "$BIN" migrate --check --config "$CONFIG" >/dev/null 2>&1; then
    backup=$BACKUPS/before-upgrade-$(date -u +%Y%m%d-%H%M%S).backup
    run install -d -m 0700 -o "$USER_NAME" -g "$USER_NAME" "$BACKUPS"
    run "$BIN" backup --config "$CONFIG" "$backup"
    run chown "$USER_NAME:$USER_NAME" "$backup"
  fi
  if has_systemd && [ -n "$START" ]; then run systemctl stop telemetricsd; fi
  run cp -p "$BIN" "$BIN.old"
  put_executable
  write_unit
  if [ -n "$DRY" ]; then return; fi
  if [ "$pending" = 3 ] && ! as_service "$BIN" migrate --config "$CONFIG"; then roll_back "its migrations failed"; fi
  start_service || roll_back "it did not become ready"
  rm -f "$BIN.old"
  say "Upgraded.${backup:+ The backup from before is $backup.}"
}

as_service() { runuser -u "$USER_NAME" -- "$@"; }

# The old program comes back, and its data where the new one has migrated them.
roll_back() {
  say "The new version was not kept: $1. Going back."
  if has_systemd; then systemctl stop telemetricsd || true; fi
  mv "$BIN.old" "$BIN"
  unchanged=0
  as_service "$BIN" migrate --check --config "$CONFIG" >/dev/null 2>&1 || unchanged=$?
  if [ "$unchanged" = 0 ] || [ "$unchanged" = 3 ]; then
    say "The database was not changed."
  elif [ -d "$STATE/data" ] && [ -n "$backup" ]; then
    aside=$STATE/data.upgrade-$(date -u +%Y%m%d-%H%M%S)
    mv "$STATE/data" "$aside"
    as_service "$BIN" restore --config "$CONFIG" "$backup" || fail "$backup could not be restored; the migrated data are in $aside"
    say "The backup $backup was restored; what the new version left is in $aside, to be removed once all is well."
  else
    fail "the database has been migrated and is not the built-in one: restore ${backup:-a backup} into an empty database, then start the service"
  fi
  start_service || fail "the old version does not start either; see journalctl -u telemetricsd"
  fail "the old version runs again"
}

remove() {
  if has_systemd; then
    run systemctl disable --quiet --now telemetricsd || true
  fi
  run rm -f "$UNIT" "$BIN" "$BIN.old"
  if has_systemd; then run systemctl daemon-reload; fi
  if [ "$ACTION" = uninstall ]; then
    say "Removed. $CONFIG_DIR and $STATE stay; --purge removes them."
    return
  fi
  run rm -rf "$CONFIG_DIR" "$STATE" "$BACKUPS"
  if id "$USER_NAME" >/dev/null 2>&1; then run userdel "$USER_NAME"; fi
  say "Removed with all data."
}

main "$@"
