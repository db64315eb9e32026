# SPDX-License-Identifier: Apache-2.0
# Everything comes from Debian 12; tools/packages names the packages, docs/licences.md their licences.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(PkgConfig REQUIRED)
pkg_check_modules(idn2 REQUIRED IMPORTED_TARGET libidn2)
pkg_check_modules(psl REQUIRED IMPORTED_TARGET libpsl)
# Debian's libunbound.pc asks for the development files of libraries that only a static link needs.
find_library(UNBOUND_LIBRARY unbound REQUIRED)
find_path(UNBOUND_INCLUDE unbound.h REQUIRED)
add_library(unbound INTERFACE)
target_link_libraries(unbound INTERFACE ${UNBOUND_LIBRARY})
target_include_directories(unbound INTERFACE ${UNBOUND_INCLUDE})
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
