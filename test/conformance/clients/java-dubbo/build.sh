#!/usr/bin/env bash
# Builds the Dubbo provider and consumer.
#   build.sh [OUTDIR]     OUTDIR defaults to target/out beside this script
#   java -cp "OUTDIR/classes:OUTDIR/lib/*" DubboDriver provider|consumer --server HOST:PORT --tmp DIR ...
# Does nothing when OUTDIR already holds what these sources make.
set -euo pipefail

if [ $# -gt 1 ]; then
  echo "usage: build.sh [OUTDIR]" >&2
  exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-$here/target/out}
mkdir -p "$out"
out=$(cd "$out" && pwd)

inputs() {
  cat "$here/pom.xml" "$here/build.sh" "$here"/src/*.java
}

is_built() {
  [ -f "$out/.built" ] && inputs | cmp -s - "$out/.built"
}

is_built && exit 0

# Tests may ask for builds at the same time; Maven's local repository takes them best one by one, whosever they are.
exec 9<"$here/.."
if command -v flock >/dev/null; then
  flock 9
  is_built && exit 0
fi

# Built aside and stamped last, so that a broken build never looks complete.
stage=$out/.partial
rm -rf "$stage"
mvn -q -B -f "$here/pom.xml" "-Dbuild.dir=$stage" process-classes >&2 9>&-
rm -rf "$out/.built" "$out/classes" "$out/lib"
mv "$stage/classes" "$stage/lib" "$out/"
rm -rf "$stage"
inputs >"$out/.built"
