#!/usr/bin/env bash
# Builds examples/grpc-client as it stands there, with the modules of go-health.
# usage: build.sh OUTFILE
set -euo pipefail

out=$(realpath -m -- "${1:?usage: build.sh OUTFILE}")
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp ../../../../examples/grpc-client/* ../go-health/go.mod ../go-health/go.sum "$folder"
cd -- "$folder"
go vet .
go build -trimpath -o "$out" .
