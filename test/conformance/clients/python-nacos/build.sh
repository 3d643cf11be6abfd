#!/usr/bin/env bash
# Installs one nacos-sdk-python and what it asks for, as pinned in requirements-VERSION.txt.
#   build.sh VERSION OUTDIR
#   OUTDIR/bin/python driver.py --server HOST:PORT --tmp DIR ...
# Does nothing when OUTDIR already holds these.
set -euo pipefail

if [ $# -ne 2 ]; then
  echo "usage: build.sh VERSION OUTDIR" >&2
  exit 2
fi
requirements=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/requirements-$1.txt
out=$2
if [ ! -f "$requirements" ]; then
  echo "no requirements for version $1" >&2
  exit 2
fi

inputs() {
  python3 --version
  cat "$requirements"
}

is_built() {
  [ -x "$out/bin/python" ] && inputs | cmp -s - "$out/.built"
}

is_built && exit 0

# Stamped last, so that a broken build never looks complete. Not moved: a venv holds its own path.
rm -rf "$out"
python3 -m venv "$out"
# All is pinned, so nothing is resolved; what is missing shows in the check.
"$out/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$requirements" >&2
"$out/bin/python" -m pip check >&2
inputs >"$out/.built"
