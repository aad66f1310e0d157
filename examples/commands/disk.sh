#!/bin/sh
# disk: how full the file systems of this machine are, as a table.
# Prints JSON lines; see docs/commands-own.md.
set -eu

least=0
for arg; do
  case $arg in
    --least=*) least=${arg#--least=} ;;
    *) echo "disk takes --least=PERCENT and nothing else" >&2; exit 2 ;;
  esac
done

# -P keeps every file system on one line; awk writes JSON, so it escapes.
df -Pk | awk -v least="$least" '
  function json(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); gsub(/[[:cntrl:]]/, " ", s); return "\"" s "\"" }
  function size(kb) {
    if (kb >= 1073741824) return sprintf("%.1f TiB", kb / 1073741824)
    if (kb >= 1048576) return sprintf("%.1f GiB", kb / 1048576)
    return sprintf("%.0f MiB", kb / 1024)
  }
  NR > 1 && $1 ~ /^\// {
    full = $5; sub(/%/, "", full); full += 0
    if (full < least) next
    where = $6; for (i = 7; i <= NF; i++) where = where " " $i
    rows = rows sep "[" json(where) "," json(size($2)) "," json(size($4)) "," json(full "%") "]"; sep = ","
    n++; if (full > worst) { worst = full; place = where }
  }
  END {
    if (n == 0) { printf "{\"type\":\"result\",\"text\":%s}\n", json("No file system is at least " least " % full."); exit }
    status = worst >= 95 ? "bad" : worst >= 85 ? "warning" : "good"
    printf "{\"type\":\"result\",\"document\":{\"status\":\"%s\",\"blocks\":[", status
    printf "{\"text\":%s},", json("The fullest is `" place "` with **" worst " %**.")
    printf "{\"table\":{\"head\":[\"where\",\"size\",\"free\",\"full\"],\"rows\":[%s]}}]}}\n", rows
  }'
