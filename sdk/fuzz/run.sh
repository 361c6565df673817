#!/usr/bin/env bash
# Fuzzes what strangers send us: `bash sdk/fuzz/run.sh [SECONDS] [TARGET...]`, 60 s for each target, two
# at a time.
#
# libFuzzer guides itself by the coverage of the code under test. Its instruments are passes of LLVM
# that every stable compiler has, so this needs no nightly one and no tool besides a C++ compiler; with
# both, `cargo fuzz run TARGET` works, too, and adds AddressSanitizer (there is no unsafe code here).
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
targets=("${@:2}")
((${#targets[@]})) || targets=(signature digest directory card registry)

host=$(rustc -vV | sed -n 's/^host: //p')
passes=(-Cpasses=sancov-module)
for flag in level=4 inline-8bit-counters pc-table trace-compares; do
  passes+=("-Cllvm-args=-sanitizer-coverage-$flag")
done
RUSTFLAGS="${passes[*]} --cfg fuzzing" cargo build --locked --quiet --release --target "$host" --target-dir target
python3 seeds.py ../../fixtures/vectors seeds

# fuzz TARGET: new inputs go to corpus/, which is kept for the next run on this machine; a finding goes
# to artifacts/, and is printed with the way to see it again.
fuzz() {
  local target=$1 status=0
  local binary=target/$host/release/$target log=artifacts/$target.log
  mkdir -p "corpus/$target" "artifacts/$target"
  "$binary" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="artifacts/$target/" "corpus/$target" "seeds/$target" >"$log" 2>&1 || status=$?
  if ((!status)); then
    echo "$target: $(grep -E -o 'Done .*' "$log"), $(grep -o 'cov: [0-9]*' "$log" | tail -n 1)"
    return
  fi
  local found
  found=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
  # In one piece, as two of these may end together.
  echo "$target found something:
$(grep -E 'INFO: Seed' "$log")
$(grep -v '^INFO\|^WARNING\|^#[0-9]' "$log" | tail -n 60)
see it again, in sdk/fuzz: echo $(base64 -w 0 "${found:-/dev/null}") | base64 -d >found && $binary found"
  return "$status"
}

export -f fuzz
export host seconds
# All of them run, whatever is found.
printf '%s\n' "${targets[@]}" | xargs -P 2 -I '{}' bash -euo pipefail -c 'fuzz {}'
