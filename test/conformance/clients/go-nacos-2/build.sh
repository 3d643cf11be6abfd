#!/usr/bin/env bash
# usage: build.sh VERSION OUTFILE
set -euo pipefail

usage='usage: build.sh VERSION OUTFILE'
version=${1:?$usage}
out=$(realpath -m -- "${2:?$usage}")
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
go build -modfile="v$version.mod" -trimpath -p 1 -o "$out" .
