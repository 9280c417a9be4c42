#!/usr/bin/env bash
# The programs that tests start and no lock file has: those that are there, or Debian's.
set -euo pipefail

has() {
  case $1 in
    chromium) command -v chromium || command -v google-chrome ;;
    postgresql) compgen -G '/usr/lib/postgresql/*/bin/postgres' ;;
    redis-server) command -v redis-server ;;
    openjdk-17-jre-headless) command -v java ;;
  esac
}

missing() { for package in chromium postgresql redis-server openjdk-17-jre-headless; do has "$package" >/dev/null || echo "$package"; done; }

install() {
  # What Debian installs it also starts, unless this file says no; the tests start their own.
  policy=/usr/sbin/policy-rc.d
  if ! test -e "$policy"; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 0755 "$policy"
  fi
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "$@" fonts-dejavu-core; } >/dev/null || echo "apt-get could not install $*."
}

mapfile -t wanted < <(missing)
if [ "${#wanted[@]}" -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing for the tests: ${wanted[*]}."
  install "${wanted[@]}"
fi

mapfile -t wanted < <(missing)
if [ "${#wanted[@]}" = 0 ]; then
  exit 0
elif [ "${CI:-}" = true ]; then
  echo "CI=true asks for all tests, and these Debian packages are not here: ${wanted[*]}." >&2
  exit 1
fi
echo "Tests will be skipped: these Debian packages are not here, and only root can install them: ${wanted[*]}."
