# SPDX-License-Identifier: Apache-2.0
# What ./run, ./test and bench/run share. Sourced with $top set; everything is said on stderr, so that the
# program's own stdout stays whole.
jobs=${JOBS:-$(nproc)}

say() { printf '%s\n' "$*" >&2; }

# configure PRESET [-D...]: cmake, unless it has run with these very options (ninja runs it again by itself
# when a CMake file changes).
configure() {
  local preset=$1 stamp=$top/build/$1/.configured
  shift
  if [ -f "$top/build/$preset/build.ninja" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$*" ]; then
    return 0
  fi
  say "configure: $preset $*"
  if ! (cd "$top" && cmake --preset "$preset" "$@") >"$top/build/$preset.configure.log" 2>&1; then
    tail -n 30 "$top/build/$preset.configure.log" >&2
    return 1
  fi
  printf '%s' "$*" >"$stamp"
}

# compile PRESET [target...]: ninja, its progress on stderr.
compile() {
  local preset=$1
  shift
  NINJA_STATUS='[%f of %t, %e s] ' ninja -C "$top/build/$preset" -j "$jobs" "$@" >&2
}

# The release binary and nothing else; silent when no source is newer than the last build.
build_product() {
  local binary=$top/build/release/mailtight stamp=$top/build/release/.built
  mkdir -p "$top/build"
  if [ -x "$binary" ] && [ -f "$stamp" ] &&
    [ -z "$(find "$top/src" "$top/cmake" "$top/web" "$top/CMakeLists.txt" "$top/CMakePresets.json" \
      -name node_modules -prune -o -newer "$stamp" -print -quit)" ]; then
    return 0
  fi
  # A tree that ./test configured with the tests is used as it is: only the target is built.
  [ -f "$top/build/release/build.ninja" ] || configure release -DMAILTIGHT_TESTS=OFF || return 1
  local begin=$SECONDS now
  now=$(mktemp "$top/build/begin.XXXXXX")
  say "build: the release binary with $jobs jobs (the first time, two processors take ten minutes or more)"
  compile release mailtight || { rm -f "$now"; return 1; }
  mv "$now" "$stamp"
  say "build: build/release/mailtight is ready after $((SECONDS - begin)) s"
}

# The same program with a clock that can be set forward, which the lab and the demo run.
build_lab_program() {
  compile release mailtight-lab
}
