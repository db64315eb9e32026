// SPDX-License-Identifier: Apache-2.0
// The files of the pages as they stand in the binary: the build makes them from web/ (cmake/pages.cmake),
// each compressed beforehand. Constant, for every thread.
#pragma once

#include <span>
#include <string_view>

namespace mailtight::api {

struct page_file {
    std::string_view path;         ///< "/index.html", "/assets/main-D3adB33f.js"
    std::string_view media_type;   ///< "text/html; charset=utf-8"
    std::string_view etag;         ///< of the bytes, without quotes
    std::string_view plain;        ///< as it is
    std::string_view gzip, brotli; ///< "": not smaller
    bool lasting = false;          ///< its name changes with its bytes
};

/// In order of their paths. Never empty: a build without pages has one that says so.
std::span<const page_file> built_pages();

} // namespace mailtight::api
