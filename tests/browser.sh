#!/usr/bin/env bash
# A Chromium for the tests marked "browser": the one that is there, or Debian's.
set -euo pipefail

found() { command -v chromium || command -v google-chrome; }

if ! found >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing chromium for the browser tests."
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    chromium fonts-dejavu-core; } >/dev/null || echo "apt-get could not install chromium."
fi

if found >/dev/null; then
  exit 0
elif [ "${CI:-}" = true ]; then
  echo "No chromium and no google-chrome: CI=true asks for the browser tests." >&2
  exit 1
fi
echo "The browser tests will be skipped: there is no chromium and no google-chrome, and only root can install one."
