#!/bin/sh
# Usage: telemetricsd-probe status     show where this machine reports to, and when it last did
#        telemetricsd-probe preview    print exactly what would be sent now
#        telemetricsd-probe run        send it; the timer does so every 5 minutes
#        telemetricsd-probe id         print the id that this machine has at present
#        telemetricsd-probe uninstall  remove the probe and everything it has left here
# The configuration is /etc/telemetricsd-probe.conf. With --root DIR as the first argument, it, the journal and the state are
# those below DIR. There is also --version.

# The journal is the spool: a cursor marks what has been sent, and moves only when the server has answered that it keeps the record.
# Event id, time and period of the machine id are those of the entry, so that what is sent twice is the same record. What the probe
# says of itself (hello, heartbeat, update) waits in a file until it has been sent.
# shellcheck disable=SC2015,SC2016,SC2034,SC2089,SC2090 # "a && b || die" is meant so, and texts in '' are run by awk or eval
set -u && umask 077
name=telemetricsd-probe version=1
crash_fields='MESSAGE_ID MESSAGE PRIORITY COREDUMP_EXE COREDUMP_COMM COREDUMP_PID COREDUMP_SIGNAL COREDUMP_SIGNAL_NAME COREDUMP_UNIT
  COREDUMP_USER_UNIT COREDUMP_TIMESTAMP COREDUMP_TRUNCATED COREDUMP_PACKAGE_NAME COREDUMP_PACKAGE_VERSION COREDUMP_PACKAGE_JSON'
unit_fields='MESSAGE_ID PRIORITY UNIT UNIT_RESULT' # not MESSAGE, which has names of instances; of the kernel only its reports are sent
hash_id='{ cat "$root/etc/machine-id" "$state/secret"; echo "$period"; } 2>/dev/null | sha256sum'

main() {
  if [ "${1-}" = --root ] && [ $# -ge 2 ]; then root=${2%/} && shift 2; else root=''; fi
  conf=$root/etc/$name.conf state=$root/var/lib/$name now=$(date +%s)
  case $#:${1-} in
    1:preview | 1:run) read_config && work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && trap 'exit 1' INT TERM && "$1" ;;
    1:status) read_config && status ;; 1:id) read_config && machine ;;
    1:uninstall) uninstall ;; 1:--version) say "$name $version" ;;
    *) sed -n '2,/^$/s/^# \{0,1\}//p' "$0" && [ "${1-}" = --help ] || exit 2 ;;
  esac
}

say() { printf '%s\n' "$@"; }
die() { say "$name: $1" >&2 && exit 1; }
keep() { say "$2" >"$state/$1.new" && mv "$state/$1.new" "$state/$1" || die "can't write in $state"; }

read_config() {
  [ -r "$conf" ] || die "can't read $conf: run this with sudo"
  server='' tid='' ca_file='' proxy='' build_command='' machine_id=changing send='coredumps kernel hardware heartbeat updates'
  cr=$(printf '\r') # with which an editor of another system ends lines
  wrong=$(tr -d '\r' <"$conf" | grep -nvE "^ *(#.*|server *= *https?://[^\"\\ ]+|tid *= *[A-Za-z0-9-]+|ca_file *= *[^\"\\]*|proxy *= *[^\"\\ ]*|\
build_command *=.*|send *= *((coredumps|kernel|hardware|heartbeat|updates|failed-units) *)*|machine_id *= *(changing|fixed))? *\$")
  [ -z "$wrong" ] || die "$conf: can't understand line $wrong
Expected: server = http(s)://HOST, tid, ca_file, proxy, build_command, machine_id = changing or fixed, send = some of coredumps kernel hardware
heartbeat updates failed-units"
  while IFS=' =' read -r key value || [ -n "$key" ]; do case $key in [a-z]*) eval "$key=\${value%\$cr}" ;; esac; done <"$conf"
  [ -n "$server" ] && [ -n "$tid" ] || die "$conf: server and tid are needed"
}

run() {
  # Root asks the service, which has a user and limits of its own, and does not wait for a pause to end.
  if [ "$root:$(id -u)" = :0 ]; then
    rm -f "$state/pause" && systemctl start "$name.service" && status && [ ! -s "$state/pause" ] && exit
    journalctl -u "$name" -t "$name" --since "@$now" -q -o cat && exit 1
  fi
  read_pause
  # A pause is never as long as a day, unless the clock has been turned back.
  if [ "$now" -lt "$until" ] && [ $((until - now)) -lt 86400 ]; then say "Pausing until $(date -d "@$until")" && exit; fi
  gather && send_queue
}

preview() { # as in a run, with a copy of the state
  [ ! -d "$state" ] || cp -RP "$state" "$work/state" || die "can't read $state: run this with sudo"
  mkdir -p "$work/state" && find "$work/state" ! -type f ! -type d -exec rm -f {} + # root writes through no link of the user of the probe
  state=$work/state && gather && say "To ${server%/}/v3/collector with X-Telemetry-TID: $tid"
  while read -r _ file; do [ "$file" = - ] || { IFS= read -r record <"$file" && say "$record"; }; done <"$work/queue"
}

status() {
  say "$name $version reports to $server" && say "  Machine    $(machine)" && say "  Sends      $send"
  [ ! -e "$state/sent" ] || say "  Last sent  $(date -r "$state/sent")"
  read_pause && [ "$until" = 0 ] || say "  Pauses     until $(date -d "@$until"), unless run is called; failures: $failures" "  Reason     $reason"
}
read_pause() {
  failures='' reason='' && [ ! -s "$state/pause" ] || read -r failures until reason <"$state/pause"
  case $failures:${until-} in *[!0-9:]* | :* | *:) failures=0 until=0 ;; esac # a disk may have damaged it
}
machine() {
  [ -r "$state/secret" ] || die "can't read $state/secret: run this with sudo, after the first run"
  if [ "$machine_id" = fixed ]; then period=fixed; else period=$((now / 259200)); fi && eval "$hash_id" | cut -c1-32
}
uninstall() {
  unit=/etc/systemd/system/$name && [ -f "$unit.service" ] && [ "$root:$(id -u)" = :0 ] || die 'this needs root, and what the installer has put here'
  systemctl disable -q --now "$name.timer" "$name.service"
  rm -rf "$unit.service" "$unit.timer" "$conf" "${conf%.conf}.pem" "$state" "/usr/local/bin/$name"
  { systemctl daemon-reload; systemctl reset-failed "$name.service"; userdel "$name"; groupdel "$name"; } 2>/dev/null; say 'The probe is removed.'
}
gather() { # fills $work/queue with lines "CURSOR FILE", oldest first: a record, and how far the journal is read once it is sent
  mkdir -p "$state/pending" && [ -s "$state/secret" ] || keep secret "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
  [ -s "$state/started" ] || keep started "$now"
  since=$(tr -dc 0-9 <"$state/started") cursor=$(grep -xE 's=[0-9a-f]{32};i=[0-9a-f]+;b=[0-9a-f]{32};m=[0-9a-f]+;t=[0-9a-f]+;x=[0-9a-f]+' \
    "$state/cursor" 2>/dev/null) && set -- --cursor="$cursor" || set -- --since="@$((${since:-0} < now ? ${since:-0} : now))"
  set -- "$@" ${root:+"--directory=$root/var/log/journal"} _TRANSPORT=kernel SYSLOG_IDENTIFIER=kernel + SYSLOG_IDENTIFIER=systemd-pstore _UID=0 \
    + MESSAGE_ID=fc2e22bc6ee647b6b90729ab34a250b1 + MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c _PID=1
  fields=$(say "$crash_fields" "$unit_fields" _TRANSPORT SYSLOG_IDENTIFIER FILE _EXE | tr -s ' \n' ,)
  export LC_ALL=C root state now version work cursor machine_id send build_command hash_id crash_fields unit_fields
  # An entry at which the reader hangs is passed over, since all that come later wait for it.
  { journalctl -q --no-pager --all -o json --output-fields="$fields" "$@" || : >"$work/failed"; } | cut -b -1000000 |
    { timeout 300 awk "$reader" || { case $? in 124 | 143) : >"$work/enough"; sed 's/$/ -/' "$work/at" || : ;; *) false ;; esac; }; } >"$work/index" &&
    { [ ! -e "$work/failed" ] || [ -e "$work/enough" ]; } || die "the journal could not be read, or $work has no room"
  for file in "$state/pending"/*; do [ ! -f "$file" ] || say "- $file"; done | cat - "$work/index" >"$work/queue"
}
send_queue() {
  first=1 moved=
  while sed -n "$first,$((first + 9))p" "$work/queue" >"$work/batch" && [ -s "$work/batch" ]; do
    post_batch
    while read -r cursor file <&3; do
      [ "$file" = - ] || { read -r code <&4 || code=000; is_settled || { first= && break; }; }
      if [ "$cursor" != - ]; then moved=$cursor; elif [ "$file" != - ]; then rm -f "$file"; fi
    done 3<"$work/batch" 4<"$work/codes"
    [ -z "$moved" ] || keep cursor "$moved"
    [ -n "$first" ] && first=$((first + 10)) || return 0
  done
  rm -f "$state/pause"
}
post_batch() { # over one connection; options are in a file, so that no list of processes shows them; no answer may fill the disk
  while read -r _ record; do
    [ "$record" = - ] || printf '%s\n' next silent show-error 'connect-timeout = 10' 'max-time = 45' globoff 'write-out = "%{http_code}\n"' \
      "url = \"${server%/}/v3/collector\"" "data-binary = \"@$record\"" "output = \"$work/answer-${record##*/}\"" 'header = "Expect:"' \
      "user-agent = \"$name/$version\"" 'header = "Content-Type: application/json"' "header = \"X-Telemetry-TID: $tid\"" \
      ${ca_file:+"cacert = \"$ca_file\""} ${proxy:+"proxy = \"$proxy\""}
  done <"$work/batch" | sed 1d >"$work/options"
  { [ ! -s "$work/options" ] || (trap '' XFSZ && ulimit -f 512 && exec curl -q --fail-early --config "$work/options"); } >"$work/codes" 2>"$work/error"
}
is_settled() { # or, where the refusal is about the record, passed over, so that it does not hold up the others
  [ "$code" != 201 ] || { : >"$state/sent" && return; } # 200 may come from the sign-in page of a network
  reason=$(sed -n 's/.*"message": *"\(.*\)".*/\1/p' "$work/answer-${file##*/}" 2>/dev/null | tr -cd ' -~' | cut -c1-300)
  case $code:$reason in
    400:X-Telemetry-TID*) ;;
    400:* | 413:* | 415:* | 422:*) say "The server refuses a record ($code), which is passed over: $reason" && return ;;
    000:*) reason=$(head -n 1 "$work/error" | tr -cd ' -~') ;;
  esac
  event=$(sed 's/.*"event_id":"\([^"]*\).*/\1/' "$file") tries=$(sed -n "s/^$event //p" "$state/stuck" 2>/dev/null)
  [ "${tries:-0}" -ge 4 ] && grep -q 201 "$work/codes" && say "The server refuses a record ($code), which is passed over: $reason" && return
  keep stuck "$event $((${tries:-0} + 1))" # or it would hold up the others, which are taken, for ever
  failures=$((failures + 1)) seconds=$((150 << (failures < 7 ? failures : 7)))
  seconds=$((seconds / 2 + $(od -An -N2 -tu2 /dev/urandom) % seconds))
  reason="The server does not take records ($code ${reason:-no answer}); they stay in the journal."
  keep pause "$failures $((now + seconds)) $reason" && say "$reason Next try in $seconds s." && return 1
}
reader=' # turns entries into a file for each record, and a line for $work/index
function output(command,   s) { if (command != "") { command | getline s; close(command) } return s }
function look(   command, s, file, key) { # for what files say: found["FILE"] is a first line, found["FILE KEY"] what follows KEY= or KEY:
  command = "cd \"$root/\"; grep -aHs . proc/uptime proc/cpuinfo proc/device-tree/model sys/class/dmi/id/*_[nv]* etc/debian_version"
  for (command = command " etc/os-release usr/lib/os-release etc/locale.conf etc/default/locale"; (command | getline s) > 0;) {
    file = s; sub(/:.*/, "", file); sub(/.*\//, "", file); sub(/[^:]*:/, "", s); gsub(/[^!-{}~]+/, " ", s); gsub(/^ | $/, "", s)
    if (!(file in found)) found[file] = substr(s, 1, 80); if (!match(s, /^[A-Za-z_ ]+[:=] */)) continue
    key = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1); gsub(/ *[:=] */, "", key); key = tolower(key); gsub(/^["\047]|["\047]$/, "", s)
    if (!((file " " key) in found)) found[file " " key] = s
  } }
function dmi(key) { # what the firmware says, unless its maker has forgotten to fill it in
  if (tolower(found[key]) !~ "^(to be filled.*|default string|system (product|version|manuf).*|not .*|none|n/a|[0x. -]*|0?123456789)$") return found[key]
}
function build_here(   s, id) { # of an image its version, else the build, else the point release, as far as a distribution has these
  s = output(ENVIRON["build_command"]); id = found["os-release version_id"]
  if (s == "" && found["os-release image_id"] != "") s = found["os-release image_version"]
  if (s == "" && found["os-release build_id"] != "rolling") s = found["os-release build_id"]
  if (s == "" && id != "" && index(s = found["os-release version"], id ".") != 1 && index(s = found["debian_version"], id ".") != 1) s = id
  sub(/ .*/, "", s); gsub(/[^A-Za-z0-9._-]/, "_", s); return s == "" ? "rolling" : substr(s, 1, 64) }
function describe(   cpu, part) {
  look(); build = build_here(); split(output("uname -rm"), part, " "); kernel = part[1]; fact["arch"] = part[2]
  fact["system_name"] = found["os-release id"]; fact["bios_version"] = dmi("bios_version")
  fact["host_type"] = dmi("sys_vendor") "|" dmi("product_name") "|" dmi("product_version")
  if (fact["host_type"] == "||") fact["host_type"] = "|" found["model"] "|"
  fact["board_name"] = dmi("board_name") "|" dmi("board_vendor"); fact["record_format_version"] = 4; fact["payload_format_version"] = 1
  cpu = found["cpuinfo model name"] found["cpuinfo cpu model"] found["cpuinfo cpu"] found["cpuinfo uarch"]
  fact["cpu_model"] = cpu != "" ? cpu : found["cpuinfo cpu implementer"] " " found["cpuinfo cpu part"] }
function own(name, class, payload) { # remains the same record until it is sent
  write(class, now, output("od -An -N16 -tx1 /dev/urandom | tr -d \" \""), kernel, build, payload)
  system("mv \"" file "\" \"$state/new\" && mv \"$state/new\" \"$state/pending/" name "\"") # from one file system to another it takes time
}
function own_records(   s, part, n, alive, day, beat) {
  for (; (getline s <(state "/systems")) > 0; builds[n] = part[3]) { split(s, part, " "); since[++n] = part[1]; kernels[n] = part[2] }
  alive = found["uptime"] + 0; alive -= alive % (alive < 86400 ? 3600 : 86400) # else the time of the start would tell machines apart
  s = found["locale.conf lang"] != "" ? found["locale.conf lang"] : found["locale lang"]; sub(/[^A-Za-z0-9_.@-].*/, "", s)
  alive = "uptime: " alive "\\nLC_ALL: " s "\\nvirtualization: " output("systemd-detect-virt 2>/dev/null") "\\nprobe: " ENVIRON["version"] "\\n"
  if (!n && wants["heartbeat"]) own("hello", "hello/world", alive)
  if (n && builds[n] != build && wants["updates"]) own("update-" now, "update/os", "from_version: " builds[n] "\\nto_version: " build "\\n")
  if (builds[n] != build || kernels[n] != kernel) { # another kernel has run since the machine was started
    since[n + 1] = n && kernels[n] != kernel ? int(now - found["uptime"]) : now; kernels[++n] = kernel; builds[n] = build
    print since[n], kernel, build >>(state "/systems")
  }
  systems = n; getline beat <(state "/heartbeat"); close(state "/heartbeat"); day = int(now / 86400)
  if (beat == day || !wants["heartbeat"] || !system("test -e \"$state/pending/heartbeat\"")) return
  # Soon after midnight, but by chance: a time of its own would tell a machine from others.
  if (beat == day - 1 && substr(output("period=beat-" int(now / 300) "; " ENVIRON["hash_id"]), 1, 1) > 2) return
  own("heartbeat", "heartbeat/ping", alive); print day >(state "/heartbeat") }
function escaped(s) { gsub(/["\\]/, "\\\\&", s); return s }
function write(class, seconds, event, kernel, build, payload,   key, period) {
  period = ENVIRON["machine_id"] == "fixed" ? "fixed" : int(seconds / 259200)
  if (!(period in ids)) ids[period] = substr(output("period=" period "; " ENVIRON["hash_id"]), 1, 32)
  fact["machine_id"] = ids[period]; fact["classification"] = "telemetricsd/" class; fact["creation_timestamp"] = seconds
  fact["severity"] = class ~ /bug$|oops|panic|uncorrected/ ? 4 : class ~ /crash|lockup/ ? 3 : class ~ /kernel|mce|unit/ ? 2 : 1
  fact["event_id"] = event; fact["kernel_version"] = kernel; fact["build"] = build
  file = sprintf("%s/%05d", ENVIRON["work"], ++records); printf "{" >file; for (key in fact) printf "\"%s\":\"%s\",", key, escaped(fact[key]) >file
  printf "\"payload\":\"%s\"}\n", payload >file; if (close(file)) exit 1 # the disk is full
}
function send(class, usec, cursor, payload, kernel,   seconds, i, x, t) { # with the kernel and the build of its time
  seconds = substr(usec, 1, length(usec) - 6); x = t = cursor; sub(/.*;x=/, "", x); sub(/;.*/, "", x)
  sub(/.*;t=/, "", t); sub(/;.*/, "", t); x = sprintf("%16s%16s", x, t); gsub(/ /, "0", x); for (i = systems; i > 1 && since[i] > seconds + 0;) i--
  write(class, seconds, x, kernel == "" ? kernels[i] : kernel, builds[i], payload); print resume(), file; fflush() }
function resume() { # where the next run has to begin: before the oldest block that is still open
  while (oldest <= opened && !(oldest in text)) oldest++; return oldest > opened ? done : before[oldest] }
# A field as the inside of a JSON text, be it text or bytes. What is not UTF-8 is read as Latin-1, as the server does.
function plain(field,   at, s, n, i, byte, part, all) { # in a text a backslash is before each quote, so none can look like a field
  if ((at = index($0, "\"" field "\":")) == 0 && (at = index($0, "\"" field "\" :")) == 0) return ""
  s = substr($0, at + length(field) + 3); sub(/^[: ]+/, "", s); if (match(s, /^"[^"\\]*(\\.[^"\\]*)*"/)) all = substr(s, 2, RLENGTH - 2)
  else if (match(s, /^\[[0-9, ]*\]/)) # put together in pieces, or each byte would copy all that is before it
    for (n = split(substr(s, 2, RLENGTH - 2), byte, ","); ++i <= n && i <= most + 9;) {
      part = part spelled[byte[i] + 0]; if (i % 500 == 0 || i == n || i == most + 9) { all = all part; part = "" }
    }
  if (length(all) > most) { all = substr(all, 1, most + 9); sub(/[\300-\377][\200-\277]*$/, "", all) }
  s = all; gsub(utf8, "", s)
  if (s ~ /[\200-\377]/) for (i = 128; i < 256; i++) if (index(all, sprintf("%c", i))) gsub(sprintf("%c", i), sprintf("\\u%04x", i), all)
  return all }
function masked(s) { # what names a person or tells this machine from others for good; of a path in a home the name of the file is left
  gsub(/\/(home|run\/media|run\/user|[Uu]sers)\/+/, "&\001", s); gsub(/(^|[^A-Za-z0-9_.-]|\\[nt])\/media\/+/, "&\001", s)
  gsub(/\001[^\/"\\]*/, "[user]", s); gsub(/\[user\]\/[^"\\]*\//, "[user]/.../", s)
  gsub(/ of user [1-9][0-9][0-9][0-9]+/, " of user [user]", s); gsub(mac, "[mac]", s); gsub(uuid, "[uuid]", s); return s }
function masked_unit(s,   type) { # an instance, or what a mount, a disk or a container is named after
  sub(/@.*\./, "@.", s); type = s; sub(/.*\./, "", type); gsub(/user-[0-9]+/, "user-[user]", s); gsub(uuid, "[uuid]", s); gsub(h12 "+", "[id]", s)
  if (type !~ /service|socket|timer|path/ && match(s, /(^|-)(home|[Uu]sers|media|run-user|machine|mapper|disk-by[^-]*)-/))
    s = substr(s, 1, RSTART + RLENGTH - 1) "[name]." type
  return s }
function masked_kernel(s) {
  gsub(/(PPIN|SN|S\/N|[Ss]erial( ?[Nn](umber|o))?|WWI?D|WWN)[:=#]+ *|PPIN |nqn[.]|eui[.]|naa[.]/, "&\002", s)
  gsub(/\002[^ ,;)"\\]+/, "[masked]", s); gsub("TSC " h4 h "+", "TSC [masked]", s); gsub(/UID: [1-9][0-9][0-9][0-9]+/, "UID: [user]", s)
  gsub("[ =(@]" ip4, " [ip]", s); gsub(ip6, "[ip]", s); return masked(s) }
function entry_of(names,   n, i, name, value, all) { # as journalctl prints it, but for what is not sent
  for (n = split(names, name, " "); ++i <= n;) {
    value = plain(name[i]); value = name[i] ~ /UNIT$/ ? masked_unit(value) : masked(value)
    if (length(value) > most) { value = substr(value, 1, most); if (!sub(/\\n([^\\]|\\[^n])*$/, "", value) && !sub(/ [^ ]*$/, "", value)) value = "" }
    if (value != "") all = all ",\"" name[i] "\":\"" value "\""
  }
  return escaped("{" substr(all, 2) "}") }
function add(k, class, s,   b) { # blocks are lines of a report of the kernel (k), of a hardware error (h), of heat (t), also from pstore
  if (!((b = open[k]) in text)) { b = open[k] = ++opened; stream[b] = k; before[b] = done; first[b] = here
    began[b] = mono; usecs[b] = usec; boots[b] = boot; text[b] = "" }
  if (classes[b] == "" || class ~ /panic|uncorrected/) classes[b] = class
  if (length(text[b]) < most) { text[b] = text[b] s "\\n"; last[b] = mono; lasted[b] = usec } }
function finish(b,   s, t) { # an oops may also be in what pstore has kept, there even twice, once with the panic that followed
  s = masked_kernel(text[b]); delete text[b]; for (t in kept) if (length(stream[b]) > 1 && index(t, s) == 1) return
  kept[s]; t = substr(s, index(s, "ainted"), 200); t = match(t, /^ainted[^#]* [0-9]+\.[0-9]+[^ #]* #/) ? substr(t, 1, RLENGTH - 2) : ""; sub(/.* /, "", t)
  send(classes[b] == "" ? "kernel/warning" : classes[b], usecs[b], first[b], s, t) }
function headline(s) {
  if (s ~ /^Kernel panic - not syncing/) return "kernel/panic"
  if (match(s, /\[[0-9]+\]/) && RSTART < 24) return "" # it begins with the name of a process, which anybody may choose
  if (s ~ /^((NMI )?watchdog: )?(BUG: (soft|workqueue) lockup|(CPU[0-9]+: )?Watchdog detected [Hh]ard LOCKUP)/) return "kernel/lockup"
  if (s ~ /^INFO: task .* blocked .*for more than [0-9]+ sec|^(rcu: )?INFO: rcu.* (self-)?detected .*stall/) return "kernel/lockup"
  if (s ~ /^(BUG: )?([Uu]nable to handle|[Kk]ernel NULL pointer)|^Oops: |^Internal error: |^[A-Za-z][A-Za-z0-9 ,-]*(: [0-9a-f]+[^\[]*| ?)\[#[0-9]+\]/) return "kernel/oops"
  if (s ~ /^kernel BUG at|^BUG: /) return "kernel/bug"
  return s ~ /^WARNING: .*( at |detected|usage|lock|context)|^UBSAN: / ? "kernel/warning" : s ~ /^-+\[ cut here/ ? "-" : "" }
function kernel_line(p, s,   k, b, class, kind) {
  class = headline(s); k = p "k"
  if (s ~ /temperature (is )?above threshold|critical temperature reached/ || (open[p "t"] in text && s ~ /speed normal|events logged/)) k = p "t"
  else if (s ~ /\[Hardware Error\]|^EDAC .*: ([0-9]+ )?[CU]E |^BERT: Error/) { # of each error a record, but for a storm of them
    k = p "h"; kind = s ~ /CPU [0-9]+: Machine Check/ ? "m" : s ~ /\]: (Corrected|Deferred|Uncorrected|System Fatal).* error/ ? "a" : ""
    if (kind == "") kind = s ~ /Hardware error from|^BERT: Error/ ? "g" : s ~ /^EDAC/ ? "e" : s ~ /events logged/ ? "l" : ""
  }
  if (!wants[k ~ /k$/ ? "kernel" : "hardware"] || s ~ /IN=.* OUT=|^(usb |audit: )|: segfault at|SerialNumber/) return # none is part of a report
  if (k !~ /k$/) { b = open[k]; class = k ~ /t$/ ? "mce/thermal" : s ~ uncorrected ? "mce/uncorrected" : "mce/corrected"
    if (kind && b in text && (index(kinds[b], kind) || mono > last[b] + 2e6 || kind ~ /[mag]/ && kinds[b] ~ /[mage]/ || kind == "e" && class != classes[b]))
      if (errors++ < 50) finish(b)
    add(k, class, s); kinds[open[k]] = kinds[open[k]] kind; return }
  if ((b = open[k]) in text && traced[b] && class != "" && (class !~ /panic/ || classes[b] ~ /warning/)) finish(b)
  if (class == "" && (!(b in text) || (classes[b] != "" && (s ~ /^[a-z][^ ]*( [^ ]+)?( [^ ]+)?: / && s !~ reported || s ~ drivers)))) return
  add(k, class == "-" ? "" : class, s); b = open[k]; if (s ~ /[Cc]all [Tt]race:/) traced[b] = 1
  if ((p == "" && s ~ /^---\[ end /) || (traced[b] && s ~ /^=====/)) finish(b) # in pstore a panic may follow
}
BEGIN {
  any = "[\200-\277]"; utf8 = "[\302-\337]" any "|\340[\240-\277]" any "|[\341-\354\356\357]" any any "|\355[\200-\237]" any
  utf8 = utf8 "|\360[\220-\277]" any any "|[\361-\363]" any any any "|\364[\200-\217]" any any; utf8 = "(" utf8 "|[\001-\177])+"
  for (i = 0; i < 256; i++) spelled[i] = i < 32 || i == 127 ? sprintf("\\u%04x", i) : sprintf("%c", i)
  spelled[9] = "\\t"; spelled[10] = "\\n"; spelled[34] = "\\\""; spelled[92] = "\\\\"
  h = "[0-9A-Fa-f]"; h4 = h h h h; h12 = h4 h4 h4; uuid = h4 h4 "-" h4 "-" h4 "-" h4 "-" h12; mac = h h ":" h h; mac = mac ":" mac ":" mac "(:" h h ")*"
  ip4 = "[0-9][0-9]?[0-9]?"; ip4 = ip4 "[.]" ip4 "[.]" ip4 "[.]" ip4; ip6 = "([23]" h h h "|fe80|f[cd]" h h "):[0-9a-f:]*:[0-9a-f:]+"
  uncorrected = "[Uu]ncorrected|Deferred|(severity|type): (fatal|recov)|[|]UE[|]|: ([0-9]+ )?UE |Check Exception|context corrupt|Bank [0-9]+: [abef]"
  drivers = "^([A-Z0-9]+-fs|XFS|BTRFS|F2FS|CIFS|NFSD?|IPv[46]|TCP|ACPI|PM|Bluetooth|SELinux)[ :]"
  reported = "^(hardirqs|softirqs|irq event|note|page|flags|raw|head|rcu|task|ffff|[xra][0-9]|pstate|status|user pg|swapper)"
  most = 150000; oldest = 1; done = "-"; state = ENVIRON["state"]; now = ENVIRON["now"]; n = split(ENVIRON["send"], word, " "); for (; n; n--) wants[word[n]] = 1
  describe(); own_records() }
/}$/ { # else it has been cut off
  here = plain("__CURSOR"); if (length($0) > 20000) { print here >(ENVIRON["work"] "/at"); close(ENVIRON["work"] "/at") }
  usec = plain("__REALTIME_TIMESTAMP"); mono = plain("__MONOTONIC_TIMESTAMP") + 0; boot = plain("_BOOT_ID")
  if (here == ENVIRON["cursor"]) next # --after-cursor would leave out another entry where this one is gone
  for (b = oldest; b <= opened; b++) if (b in text && (boot != boots[b] || mono > last[b] + 3e7 || mono > began[b] + 12e7)) finish(b)
  if (plain("SYSLOG_IDENTIFIER") == "systemd-pstore") {
    n = split(plain("FILE"), line, "\\\\n"); p = line[1]; for (i = 1 + sub(/ Part[0-9]+$/, "", p); i <= n; i++)
      if (sub(/^(<[0-9]+>)?(\[ *[0-9.]+\])?(\[ *[TC][0-9]+\])? ?/, "", line[i]) && line[i] != "") kernel_line(p, line[i])
  } else if (plain("_TRANSPORT") == "kernel") kernel_line("", plain("MESSAGE"))
  done = here; id = plain("MESSAGE_ID"); s = plain("_EXE") # of who wrote the entry, where the journal knows it
  if (id ~ /^fc2e/ && wants["coredumps"] && (s == "" || s ~ /\/systemd-coredump$/)) send("coredump/crash", usec, here, entry_of(ENVIRON["crash_fields"]))
  if (id ~ /^d9b3/ && wants["failed-units"]) send("unit/failed", usec, here, entry_of(ENVIRON["unit_fields"]))
  if ((records > 199 || NR > 50000) && resume() == here) { print "" >(ENVIRON["work"] "/enough"); exit } # for a run
}
END {
  for (b = oldest; b <= opened; b++) if (b in text && (now - lasted[b] / 1e6 > 30 || now < lasted[b] / 1e6 - 60)) finish(b)
  print resume(), "-"
}'

main "$@"
