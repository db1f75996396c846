#!/bin/sh
# Usage: telemetricsd-probe status     show where this machine reports to, and when it last did
#        telemetricsd-probe preview    print exactly what would be sent now
#        telemetricsd-probe run        send it; the timer does so every 5 minutes
#        telemetricsd-probe id         print the id that this machine has at present
#        telemetricsd-probe uninstall  remove the probe and everything it has left here
# The configuration is /etc/telemetricsd-probe.conf. With --root DIR as the first argument, it, the journal and the state are
# those below DIR. There is also --version.

# The journal is the spool: a cursor marks what has been sent, and moves only when the server has answered that it keeps the
# record. Event id, capture time and the period of the machine id are those of the entry, so a record that is sent twice is
# the same record. What the probe says of itself (hello, heartbeat, update) waits in a file until it has been sent.
# shellcheck disable=SC2015,SC2016,SC2034,SC2089,SC2090 # "a && b || die" is meant so, and texts in '' are run by awk or eval
set -u
umask 077
name=telemetricsd-probe version=1
# What is sent of the entry for a crash and of that for a failed unit. Of the kernel it is the lines of its reports.
crash_fields='MESSAGE_ID MESSAGE PRIORITY COREDUMP_EXE COREDUMP_COMM COREDUMP_PID COREDUMP_SIGNAL COREDUMP_SIGNAL_NAME COREDUMP_UNIT
  COREDUMP_USER_UNIT COREDUMP_TIMESTAMP COREDUMP_TRUNCATED COREDUMP_PACKAGE_NAME COREDUMP_PACKAGE_VERSION COREDUMP_PACKAGE_JSON'
unit_fields='MESSAGE_ID PRIORITY UNIT UNIT_RESULT' # not MESSAGE, which has names of instances
hash_id='{ cat "$root/etc/machine-id" "$state/secret"; echo "$period"; } 2>/dev/null | sha256sum'

main() {
  root=
  if [ "${1-}" = --root ] && [ $# -ge 2 ]; then root=${2%/} && shift 2; fi
  conf=$root/etc/$name.conf state=$root/var/lib/$name now=$(date +%s)
  case $#:${1-} in
    1:preview | 1:run) read_config && work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && trap 'exit 1' INT TERM && "$1" ;;
    1:status) read_config && status ;;
    1:id) read_config && machine ;;
    1:uninstall) uninstall ;;
    1:--version) say "$name $version" ;;
    *) sed -n '2,/^$/s/^# \{0,1\}//p' "$0" && [ "${1-}" = --help ] || exit 2 ;;
  esac
}

say() { printf '%s\n' "$*"; }
die() { say "$name: $*" >&2 && exit 1; }
keep() { say "$2" >"$state/$1.new" && mv "$state/$1.new" "$state/$1" || die "can't write in $state"; }

read_config() {
  [ -r "$conf" ] || die "can't read $conf: run this with sudo"
  server='' tid='' ca_file='' proxy='' build_command='' machine_id=changing send='coredumps kernel hardware heartbeat updates'
  wrong=$(grep -nvE "^ *(#.*|server *= *https?://[^\"\\ ]+|tid *= *[A-Za-z0-9-]+|(ca_file|proxy) *= *[^\"\\ ]*|build_command *=.*|\
send *= *((coredumps|kernel|hardware|heartbeat|updates|failed-units) *)*|machine_id *= *(changing|fixed))? *\$" "$conf")
  [ -z "$wrong" ] || die "$conf: can't understand line $wrong"
  while IFS=' =' read -r key value || [ -n "$key" ]; do case $key in [a-z]*) eval "$key=\$value" ;; esac; done <"$conf"
  [ -n "$server" ] && [ -n "$tid" ] || die "$conf: server and tid are needed"
}

run() {
  # Root asks the service, which has a user and limits of its own, and does not wait for a pause to end.
  if [ "$root:$(id -u)" = :0 ]; then rm -f "$state/pause"; systemctl start "$name.service" && status; exit; fi
  if [ -s "$state/pause" ]; then read -r failures until <"$state/pause"; else failures=0 until=0; fi
  # A pause is never as long as a day, unless the clock has been turned back.
  if [ "$now" -lt "$until" ] && [ $((until - now)) -lt 86400 ]; then say "Pausing until $(date -d "@$until")" && exit; fi
  gather && send_queue
}

preview() { # as in a run, with a copy of the state
  [ ! -d "$state" ] || cp -RP "$state" "$work/state" || die "can't read $state: run this with sudo"
  state=$work/state && gather
  say "To ${server%/}/v3/collector with X-Telemetry-TID: $tid"
  while read -r _ file; do [ "$file" = - ] || { IFS= read -r record <"$file" && say "$record"; }; done <"$work/queue"
}

status() {
  say "$name $version reports to $server" && say "  Machine    $(machine)" && say "  Sends      $send"
  [ ! -e "$state/sent" ] || say "  Last sent  $(date -r "$state/sent")"
  [ ! -s "$state/pause" ] || { read -r failures at <"$state/pause" && say "  Pauses     until $(date -d "@$at"), failures: $failures"; }
}

machine() {
  [ -r "$state/secret" ] || die "can't read $state/secret: run this with sudo, after the first run"
  if [ "$machine_id" = fixed ]; then period=fixed; else period=$((now / 259200)); fi
  eval "$hash_id" | cut -c1-32
}

uninstall() {
  unit=/etc/systemd/system/$name
  [ -f "$unit.service" ] && [ "$root:$(id -u)" = :0 ] || die 'this needs root, and a probe that its installer has put here'
  systemctl disable -q --now "$name.timer" "$name.service"
  rm -rf "$unit.service" "$unit.timer" "$conf" "$state" "/usr/local/bin/$name"
  { systemctl daemon-reload; systemctl reset-failed "$name.service"; userdel "$name"; groupdel "$name"; } 2>/dev/null
  say 'The probe is removed.'
}

# Fills $work/queue with lines "CURSOR FILE", oldest first: a record, and how far the journal has been read once it is sent.
gather() {
  mkdir -p "$state/pending" && [ -s "$state/secret" ] || keep secret "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
  [ -s "$state/started" ] || keep started "$now"
  cursor=$(cat "$state/cursor" 2>/dev/null) && set -- --cursor="$cursor" || set -- --since="@$(cat "$state/started")"
  set -- "$@" ${root:+"--directory=$root/var/log/journal"} _TRANSPORT=kernel SYSLOG_IDENTIFIER=kernel + SYSLOG_IDENTIFIER=systemd-pstore \
    + MESSAGE_ID=fc2e22bc6ee647b6b90729ab34a250b1 + MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c _PID=1
  fields=$(say "$crash_fields" "$unit_fields" _TRANSPORT SYSLOG_IDENTIFIER FILE | tr -s ' \n' ,)
  export LC_ALL=C root state now version work cursor machine_id send build_command hash_id crash_fields unit_fields
  { journalctl -q --no-pager --all -o json --output-fields="$fields" "$@" || : >"$work/failed"; } | cut -b -1000000 |
    awk "$reader" >"$work/index" && { [ ! -e "$work/failed" ] || [ -e "$work/enough" ]; } ||
    die "the journal could not be read, or $work has no room"
  for file in "$state/pending"/*; do [ ! -f "$file" ] || say "- $file"; done | cat - "$work/index" >"$work/queue"
}

send_queue() {
  first=1 moved=
  while sed -n "$first,$((first + 19))p" "$work/queue" >"$work/batch" && [ -s "$work/batch" ]; do
    post_batch
    while read -r cursor file <&3; do
      [ "$file" = - ] || { read -r code <&4 || code=000; is_settled || { first= && break; }; }
      if [ "$cursor" != - ]; then moved=$cursor; elif [ "$file" != - ]; then rm -f "$file"; fi
    done 3<"$work/batch" 4<"$work/codes"
    [ -z "$moved" ] || keep cursor "$moved"
    [ -n "$first" ] && first=$((first + 20)) || return 0
  done
  rm -f "$state/pause"
}

# One curl sends a batch over one connection. It reads its options from a file, so that no list of processes shows them.
post_batch() {
  while read -r _ record; do
    [ "$record" = - ] || printf '%s\n' next silent show-error 'connect-timeout = 10' 'max-time = 60' 'write-out = "%{http_code}\n"' \
      "url = \"${server%/}/v3/collector\"" "data-binary = \"@$record\"" "output = \"$work/answer-${record##*/}\"" 'header = "Expect:"' \
      "user-agent = \"$name/$version\"" 'header = "Content-Type: application/json"' "header = \"X-Telemetry-TID: $tid\"" \
      ${ca_file:+"cacert = \"$ca_file\""} ${proxy:+"proxy = \"$proxy\""}
  done <"$work/batch" | sed 1d >"$work/options"
  { [ ! -s "$work/options" ] || curl -q --fail-early --config "$work/options"; } >"$work/codes" 2>"$work/error"
}

# Whether a record is done with. A refusal that is about the record is passed over, so that it does not hold up the others.
is_settled() {
  [ "$code" != 201 ] || { : >"$state/sent" && return; } # 200 may come from the sign-in page of a network
  reason=$(sed -n 's/.*"message": *"\(.*\)".*/\1/p' "$work/answer-${file##*/}" 2>/dev/null | cut -c1-300)
  case $code:$reason in
    400:X-Telemetry-TID*) ;;
    400:* | 413:* | 415:* | 422:*) say "The server refuses a record ($code), which is passed over: $reason" && return ;;
    000:*) reason=$(head -n 1 "$work/error") ;;
  esac
  failures=$((failures + 1)) seconds=$((150 << (failures < 7 ? failures : 7)))
  seconds=$((seconds / 2 + $(od -An -N2 -tu2 /dev/urandom) % seconds)) && keep pause "$failures $((now + seconds))"
  say "The server does not take records ($code ${reason:-no answer}); they stay in the journal. Next try in $seconds s." && return 1
}

# Turns entries into a file for each record, and a line for $work/index.
reader='
function output(command,   s) { if (command != "") { command | getline s; close(command) } return s }
# What files say of this machine: found["FILE"] is a first line, found["FILE KEY"] what follows KEY= or KEY:
function look(   command, s, file, key) {
  command = "cd \"$root/\"; grep -aHs . proc/uptime proc/cpuinfo proc/device-tree/model sys/class/dmi/id/*_[nv]* etc/debian_version"
  for (command = command " etc/os-release usr/lib/os-release etc/locale.conf etc/default/locale"; (command | getline s) > 0;) {
    file = s; sub(/:.*/, "", file); sub(/.*\//, "", file); sub(/[^:]*:/, "", s); gsub(/[^!-{}~]+/, " ", s); gsub(/^ | $/, "", s)
    if (!(file in found)) found[file] = substr(s, 1, 80)
    if (!match(s, /^[A-Za-z_ ]+[:=] */)) continue
    key = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1); gsub(/ *[:=] */, "", key); key = tolower(key); gsub(/^["\047]|["\047]$/, "", s)
    if (!((file " " key) in found)) found[file " " key] = s
  }
}
function dmi(key) { # what the firmware says, unless its maker has forgotten to fill it in
  if (tolower(found[key]) !~ "^(to be filled.*|default string|system (product|version|manuf).*|not .*|none|n/a|[0x. -]*|0?123456789)$") return found[key]
}
# Of an image its version, else the build, else the point release, as far as a distribution has these.
function build_here(   s, id) {
  s = output(ENVIRON["build_command"]); id = found["os-release version_id"]
  if (s == "" && found["os-release image_id"] != "") s = found["os-release image_version"]
  if (s == "" && found["os-release build_id"] != "rolling") s = found["os-release build_id"]
  if (s == "" && id != "" && index(s = found["os-release version"], id ".") != 1 && index(s = found["debian_version"], id ".") != 1) s = id
  sub(/ .*/, "", s); gsub(/[^A-Za-z0-9._-]/, "_", s)
  return s == "" ? "rolling" : substr(s, 1, 64)
}
function describe(   cpu, part) {
  look(); build = build_here(); split(output("uname -rm"), part, " "); kernel = part[1]; fact["arch"] = part[2]
  fact["system_name"] = found["os-release id"]; fact["bios_version"] = dmi("bios_version")
  fact["host_type"] = dmi("sys_vendor") "|" dmi("product_name") "|" dmi("product_version")
  if (fact["host_type"] == "||") fact["host_type"] = "|" found["model"] "|"
  fact["board_name"] = dmi("board_name") "|" dmi("board_vendor"); fact["record_format_version"] = 4; fact["payload_format_version"] = 1
  cpu = found["cpuinfo model name"] found["cpuinfo cpu model"] found["cpuinfo cpu"] found["cpuinfo uarch"]
  fact["cpu_model"] = cpu != "" ? cpu : found["cpuinfo cpu implementer"] " " found["cpuinfo cpu part"]
}
function own(name, class, payload) { # remains the same record until it is sent
  write(class, now, output("od -An -N16 -tx1 /dev/urandom | tr -d \" \""), kernel, build, payload)
  system("mv \"" file "\" \"$state/pending/" name "\"")
}
function own_records(   s, part, n, alive, started, day, beat) {
  for (; (getline s <(state "/systems")) > 0; builds[n] = part[3]) { split(s, part, " "); since[++n] = part[1]; kernels[n] = part[2] }
  alive = "uptime: " int(found["uptime"]) "\\nLC_ALL: " (found["locale.conf lang"] != "" ? found["locale.conf lang"] : found["locale lang"])
  alive = alive "\\nvirtualization: " output("systemd-detect-virt 2>/dev/null") "\\nprobe: " ENVIRON["version"] "\\n"
  if (!n && wants["heartbeat"]) own("hello", "hello/world", alive)
  if (n && builds[n] != build && wants["updates"]) own("update-" now, "update/os", "from_version: " builds[n] "\\nto_version: " build "\\n")
  if (builds[n] != build || kernels[n] != kernel) { # another kernel has run since the machine was started
    since[n + 1] = n && kernels[n] != kernel ? int(now - found["uptime"]) : now; kernels[++n] = kernel; builds[n] = build
    print since[n], kernel, build >>(state "/systems")
  }
  systems = n; getline started <(state "/started"); getline beat <(state "/heartbeat"); close(state "/heartbeat")
  day = int((now - started) / 86400) ""; if (day == beat || !wants["heartbeat"] || !system("test -e \"$state/pending/heartbeat\"")) return
  own("heartbeat", "heartbeat/ping", alive); print day >(state "/heartbeat")
}
function escaped(s) { gsub(/["\\]/, "\\\\&", s); return s }
function write(class, seconds, event, kernel, build, payload,   key, period) {
  period = ENVIRON["machine_id"] == "fixed" ? "fixed" : int(seconds / 259200)
  if (!(period in ids)) ids[period] = substr(output("period=" period "; " ENVIRON["hash_id"]), 1, 32)
  fact["machine_id"] = ids[period]; fact["classification"] = "telemetricsd/" class; fact["creation_timestamp"] = seconds
  fact["severity"] = class ~ /bug$|oops|panic|uncorrected/ ? 4 : class ~ /crash|lockup/ ? 3 : class ~ /kernel|mce|unit/ ? 2 : 1
  fact["event_id"] = event; fact["kernel_version"] = kernel; fact["build"] = build
  file = sprintf("%s/%05d", ENVIRON["work"], ++records); printf "{" >file
  for (key in fact) printf "\"%s\":\"%s\",", key, escaped(fact[key]) >file
  printf "\"payload\":\"%s\"}\n", payload >file; if (close(file)) exit 1 # the disk is full
}
# A record has the kernel and the build of its time; a report of the kernel names its kernel.
function send(class, usec, cursor, payload,   seconds, i, kernel, x, t) {
  seconds = substr(usec, 1, length(usec) - 6); x = t = cursor; sub(/.*;x=/, "", x); sub(/;.*/, "", x)
  sub(/.*;t=/, "", t); sub(/;.*/, "", t); x = sprintf("%16s%16s", x, t); gsub(/ /, "0", x)
  for (i = systems; i > 1 && since[i] > seconds + 0;) i--
  kernel = match(payload, /ainted[^#]* [0-9]+\.[0-9]+[^ #]* #/) ? substr(payload, RSTART, RLENGTH - 2) : kernels[i]; sub(/.* /, "", kernel)
  write(class, seconds, x, kernel, builds[i], payload); print resume(), file
}
function resume() { # where the next run has to begin: before the oldest block that is still open
  while (oldest <= opened && !(oldest in text)) oldest++
  return oldest > opened ? done : before[oldest]
}
# A field as the inside of a JSON text, be it text or bytes. What is not UTF-8 is read as Latin-1, as the server does.
function plain(field,   at, s, n, i, byte, all) { # in a text a backslash is before each quote, so none can look like a field
  if ((at = index($0, "\"" field "\":")) == 0 && (at = index($0, "\"" field "\" :")) == 0) return ""
  s = substr($0, at + length(field) + 3); sub(/^[: ]+/, "", s)
  if (match(s, /^"[^"\\]*(\\.[^"\\]*)*"/)) all = substr(s, 2, RLENGTH - 2)
  else if (match(s, /^\[[0-9, ]*\]/))
    for (n = split(substr(s, 2, RLENGTH - 1), byte, /[], ]+/); ++i <= n;) if (byte[i] != "") all = all spelled[byte[i] + 0]
  s = all; gsub(utf8, "", s)
  if (s ~ /[\200-\377]/) for (i = 128; i < 256; i++) gsub(sprintf("%c", i), sprintf("\\u%04x", i), all)
  gsub(/\/home\/[^\/"\\ :;,()]+/, "/home/[user]", all)
  return all
}
function entry_of(names,   n, i, name, value, all) { # as journalctl prints it, but for what is not sent
  for (n = split(names, name, " "); ++i <= n;) {
    value = plain(name[i]); if (name[i] ~ /UNIT$/) sub(/@[^.]*\./, "@.", value) # an instance may be named after a person
    if (length(value) > most) { value = substr(value, 1, most); if (!sub(/\\n([^\\]|\\[^n])*$/, "", value)) value = "" }
    if (value != "") all = all ",\"" name[i] "\":\"" value "\""
  }
  return escaped("{" substr(all, 2) "}")
}
# Blocks are the lines of a report of the kernel (k), of a hardware error (h) and of heat (t), also of those that pstore has kept.
function add(k, class, s,   b) {
  if (!((b = open[k]) in text)) { b = open[k] = ++opened; stream[b] = k; before[b] = done; first[b] = here
    began[b] = mono; usecs[b] = usec; boots[b] = boot; text[b] = "" }
  if (classes[b] == "" || class ~ /panic|uncorrected/) classes[b] = class
  if (length(text[b]) < most) { text[b] = text[b] s "\\n"; last[b] = mono; lasted[b] = usec }
}
function finish(b,   s, t) { # an oops may also be in what pstore has kept, there even twice, once with the panic that followed
  s = text[b]; delete text[b]
  for (t in kept) if (length(stream[b]) > 1 && index(t, s) == 1) return
  kept[s]; send(classes[b] == "" ? "kernel/warning" : classes[b], usecs[b], first[b], s)
}
function headline(s) {
  if (s ~ /^Kernel panic - not syncing/) return "kernel/panic"
  if (s ~ /soft lockup|[Hh]ard LOCKUP|workqueue lockup|blocked .*for more than [0-9]+ sec|rcu.* (self-)?detected .*stall/) return "kernel/lockup"
  if (s ~ /^(BUG: )?([Uu]nable to handle|[Kk]ernel NULL pointer)|^Oops: |^Internal error: |\[#[0-9]+\]/) return "kernel/oops"
  if (s ~ /^kernel BUG at|^BUG: /) return "kernel/bug"
  return s ~ /^WARNING: .*( at |detected|usage|lock|context)|^UBSAN: / ? "kernel/warning" : s ~ /^-+\[ cut here/ ? "-" : ""
}
function kernel_line(p, s,   k, b, class) {
  gsub(mac, "[mac]", s); class = headline(s); k = p "k"
  if (s ~ /temperature (is )?above threshold|critical temperature reached/ || (open[p "t"] in text && s ~ /speed normal|events logged/)) k = p "t"
  else if (s ~ /\[Hardware Error\]|^EDAC .*: ([0-9]+ )?[CU]E |^BERT: Error/) k = p "h"
  if (!wants[k ~ /k$/ ? "kernel" : "hardware"] || s ~ /IN=.* OUT=/) return # the latter is a packet that a firewall logs
  if (k !~ /k$/) { add(k, k ~ /t$/ ? "mce/thermal" : s ~ uncorrected ? "mce/uncorrected" : "mce/corrected", s); return }
  if ((b = open[k]) in text && traced[b] && class != "" && (class !~ /panic/ || classes[b] ~ /warning/)) finish(b)
  if (class == "" && (!(b in text) || (traced[b] && s ~ /^[a-z][^ ]*( [^ ]+)?( [^ ]+)?: / && s !~ reported))) return # a driver
  add(k, class == "-" ? "" : class, s); b = open[k]
  if (s ~ /[Cc]all [Tt]race:/) traced[b] = 1
  if ((p == "" && s ~ /^---\[ end /) || (traced[b] && s ~ /^=====/)) finish(b) # in pstore a panic may follow
}
BEGIN {
  any = "[\200-\277]"; utf8 = "[\302-\337]" any "|\340[\240-\277]" any "|[\341-\354\356\357]" any any "|\355[\200-\237]" any
  utf8 = utf8 "|\360[\220-\277]" any any "|[\361-\363]" any any any "|\364[\200-\217]" any any
  for (i = 0; i < 256; i++) spelled[i] = i < 32 || i == 127 ? sprintf("\\u%04x", i) : sprintf("%c", i)
  spelled[9] = "\\t"; spelled[10] = "\\n"; spelled[34] = "\\\""; spelled[92] = "\\\\"
  mac = "[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]"; mac = mac ":" mac ":" mac; most = 150000; oldest = 1; done = "-"
  uncorrected = "[Uu]ncorrected|Deferred|(severity|type): (fatal|recov)|[|]UE[|]|: ([0-9]+ )?UE |Check Exception|context corrupt|Bank [0-9]+: [abef]"
  reported = "^(hardirqs|softirqs|irq event|note|page|flags|raw|head|rcu|task)"; state = ENVIRON["state"]; now = ENVIRON["now"]
  n = split(ENVIRON["send"], word, " "); for (; n; n--) wants[word[n]] = 1
  describe(); own_records()
}
/}$/ { # else it has been cut off
  here = plain("__CURSOR"); usec = plain("__REALTIME_TIMESTAMP"); mono = plain("__MONOTONIC_TIMESTAMP") + 0; boot = plain("_BOOT_ID")
  if (here == ENVIRON["cursor"]) next # --after-cursor would leave out another entry where this one is gone
  for (b = oldest; b <= opened; b++) if (b in text && (boot != boots[b] || mono > last[b] + 3e7 || mono > began[b] + 12e7)) finish(b)
  if (plain("SYSLOG_IDENTIFIER") == "systemd-pstore") {
    n = split(plain("FILE"), line, "\\\\n"); p = line[1]
    for (i = 1 + sub(/ Part[0-9]+$/, "", p); i <= n; i++) {
      sub(/^(<[0-9]+>)?(\[ *[0-9.]+\])?(\[ *[TC][0-9]+\])? ?/, "", line[i]); if (line[i] != "") kernel_line(p, line[i])
    }
  } else if (plain("_TRANSPORT") == "kernel") kernel_line("", plain("MESSAGE"))
  done = here; id = plain("MESSAGE_ID")
  if (id ~ /^fc2e/ && wants["coredumps"]) send("coredump/crash", usec, here, entry_of(ENVIRON["crash_fields"]))
  if (id ~ /^d9b3/ && wants["failed-units"]) send("unit/failed", usec, here, entry_of(ENVIRON["unit_fields"]))
  if ((records > 199 || NR > 50000) && resume() == here) { print "" >(ENVIRON["work"] "/enough"); exit } # for a run
}
END {
  for (b = oldest; b <= opened; b++) if (b in text && (now - lasted[b] / 1e6 > 30 || now < lasted[b] / 1e6 - 60)) finish(b)
  print resume(), "-"
}'

main "$@"
