#!/usr/bin/env bash
# usage: build.sh OUTFILE
set -euo pipefail

out=$(realpath -m -- "${1:?usage: build.sh OUTFILE}")
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
go build -trimpath -p 1 -o "$out" .
