# SPDX-License-Identifier: Apache-2.0
# clang 19, because g++ 12 silently miscompiles `if (co_await f())` and temporaries in co_await statements.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  message(FATAL_ERROR "g++ before 14 miscompiles coroutines (`if (co_await f())` takes the wrong branch): "
                      "use clang++-19, as ./run and the presets do.")
endif()
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(MAILTIGHT_TESTS "build the tests" ON)
option(MAILTIGHT_FUZZ "build the fuzz targets (needs clang)" OFF)
option(MAILTIGHT_BENCH "build the benchmarks" OFF)
option(MAILTIGHT_COVERAGE "instrument for coverage" OFF)
set(MAILTIGHT_SANITIZE "" CACHE STRING "address,undefined or thread")

find_program(CCACHE ccache)
if(CCACHE)
  # Paths relative to the checkout, so that every checkout of one machine shares the cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()

find_program(MOLD mold)
find_program(LLD NAMES ld.lld-19 ld.lld)
if(LLD)
  add_link_options(-fuse-ld=${LLD})
elseif(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
                    -Wold-style-cast -Woverloaded-virtual -Wimplicit-fallthrough -Wno-missing-field-initializers -Wno-missing-designated-field-initializers
                    -Werror -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-fstack-protector-strong -D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
if(MAILTIGHT_SANITIZE)
  add_compile_options(-fsanitize=${MAILTIGHT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MAILTIGHT_SANITIZE})
endif()
if(MAILTIGHT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(MAILTIGHT_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()
