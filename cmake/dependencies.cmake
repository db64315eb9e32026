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
pkg_check_modules(unbound REQUIRED IMPORTED_TARGET libunbound)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
