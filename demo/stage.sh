# What demo.sh and live.sh share: numbered steps in two languages, commands and their output. Sourced, not run.
# On a terminal there is a moment's pause after each command; DEMO_PAUSE=enter waits for you instead.

if [ "${1:-}" = --lang ]; then export KCOMPANION_LANG=${2:?--lang takes en or ko}; fi
if [ -t 1 ]; then
  bold=$'\e[1m' dim=$'\e[2m' off=$'\e[0m' colour=(--color always)
  export COLUMNS=${COLUMNS:-$(tput cols 2>/dev/null || echo 80)}
else
  bold='' dim='' off='' colour=()
fi

case "${KCOMPANION_LANG:-${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}}" in
  ko*) korean=1 more='줄 더 있음' ;;
  *) korean='' more='more lines' ;;
esac

pause() {
  if [ ! -t 1 ]; then return; fi
  if [ "${DEMO_PAUSE:-}" = enter ]; then read -rs </dev/tty; else sleep 1; fi
}

step=0
tell() { # ENGLISH KOREAN
  if [ -n "$korean" ]; then printf '%s\n' "$2"; else printf '%s\n' "$1"; fi
}

say() { # ENGLISH KOREAN: the headline of the next step
  step=$((step + 1))
  printf '\n%s%d. %s%s\n' "$bold" "$step" "$(tell "$@")" "$off"
}

claims() { # WORDS…: runs a lesson and prints what it proved
  printf '%s$ kcompanion %s%s\n' "$dim" "$*" "$off"
  kcompanion "$@" "${colour[@]}" | awk '/✔|✖/ { print ""; shown = 1 } /^$/ { shown = 0 } shown'
  pause
}

show() { # LINES (0: all) WORDS…: runs kcompanion and prints the first lines, so that a step fits a screen
  local most=$1
  shift
  printf '%s$ kcompanion %s%s\n\n' "$dim" "$*" "$off"
  kcompanion "$@" "${colour[@]}" | awk -v most="$most" -v tail="$dim… %d $more$off" '
    most && NR > most { left++; next }
    { print }
    END { if (left) printf "  " tail "\n", left }'
  pause
}
