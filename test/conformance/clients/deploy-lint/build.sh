#!/usr/bin/env bash
# Installs hadolint, and kubernetes-validate with the schemas of every Kubernetes that it brings, as pinned in requirements.txt.
#   build.sh OUTDIR
#   OUTDIR/bin/hadolint Dockerfile
#   OUTDIR/bin/kubernetes-validate --strict FILE...
# Does nothing when OUTDIR already holds these.
set -euo pipefail

requirements=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/requirements.txt
out=${1:?usage: build.sh OUTDIR}

inputs() {
  python3 --version
  cat "$requirements"
}

[ -x "$out/bin/python" ] && inputs | cmp -s - "$out/.built" && exit 0

# Stamped last, so that a broken build never looks complete. Not moved: a venv holds its own path.
rm -rf "$out"
python3 -m venv "$out"
# All is pinned, so nothing is resolved; what is missing shows in the check.
"$out/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$requirements" >&2
"$out/bin/python" -m pip check >&2
inputs >"$out/.built"
