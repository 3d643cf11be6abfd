#!/usr/bin/env bash
# usage: build.sh OUTFILE
set -euo pipefail

out=$(realpath -m -- "${1:?usage: build.sh OUTFILE}")
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
go build -trimpath -o "$out" github.com/grpc-ecosystem/grpc-health-probe
