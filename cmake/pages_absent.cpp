// SPDX-License-Identifier: Apache-2.0
// What stands in the place of the pages where they were not built: one that says how to.
#include "api/pages.h"

namespace mailtight::api {

std::span<const page_file> built_pages() {
    static constexpr page_file all[] = {
        {.path = "/index.html",
         .media_type = "text/html; charset=utf-8",
         .etag = "absent",
         .plain = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Mailtight</title>\n"
                  "<h1>Mailtight</h1>\n<p>This program was built without its pages "
                  "(<code>-DMAILTIGHT_WEB=OFF</code>). Build it with <code>-DMAILTIGHT_WEB=ON</code>, which "
                  "needs Node.js 18 or later with npm, or use <code>./run</code>.\n"
                  "<p>The API answers: <a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a> "
                  "describes it.\n",
         .gzip = "",
         .brotli = "",
         .lasting = false},
    };
    return all;
}

} // namespace mailtight::api
