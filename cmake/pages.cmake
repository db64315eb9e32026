# SPDX-License-Identifier: Apache-2.0
# The pages of web/ in the binary: npm and Vite make them, embed_pages.mjs packs them, and one source file takes the
# pack in. What changes in web/ builds that again and nothing else.
option(MAILTIGHT_WEB "build the pages (needs Node.js 18 or later with npm)" ON)
set(MAILTIGHT_WEB_DIST "" CACHE PATH "pages that are built already, instead of web/ (no npm, no network)")

function(mailtight_pages)
  set(made ${CMAKE_BINARY_DIR}/pages)
  set(source ${CMAKE_SOURCE_DIR}/cmake/pages_absent.cpp)
  set(web ${CMAKE_SOURCE_DIR}/web)
  if(MAILTIGHT_WEB AND (MAILTIGHT_WEB_DIST OR EXISTS ${web}/package.json))
    find_program(NODE NAMES node nodejs)
    find_program(NPM npm)
    set(version "")
    if(NODE)
      execute_process(COMMAND ${NODE} -p process.versions.node OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
    endif()
    if(NOT version OR version VERSION_LESS 18 OR NOT (NPM OR MAILTIGHT_WEB_DIST))
      message(FATAL_ERROR "the pages need Node.js 18 or later with npm (Debian: nodejs and npm; tools/setup build "
                          "installs them). Without pages: -DMAILTIGHT_WEB=OFF")
    endif()
    set(embed ${CMAKE_SOURCE_DIR}/cmake/embed_pages.mjs)
    if(MAILTIGHT_WEB_DIST)
      set(dist ${MAILTIGHT_WEB_DIST})
      file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dist}/*)
      set(build "")
    else()
      set(dist ${made}/dist)
      file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${web}/src/* ${web}/public/*)
      file(GLOB settings CONFIGURE_DEPENDS ${web}/*.html ${web}/*.json ${web}/*.ts)
      list(APPEND sources ${settings})
      # One folder of packages for every build of this checkout; what needs none asks no registry.
      set(packages ${web}/node_modules/.package-lock.json)
      add_custom_command(OUTPUT ${packages}
        COMMAND ${CMAKE_SOURCE_DIR}/cmake/fetch_packages.sh ${NPM}
        DEPENDS ${web}/package.json ${web}/package-lock.json ${CMAKE_SOURCE_DIR}/cmake/fetch_packages.sh
        WORKING_DIRECTORY ${web} COMMENT "Fetching what builds the pages" VERBATIM)
      list(APPEND sources ${packages})
      set(build COMMAND ${NPM} run --silent build -- --outDir ${dist} --emptyOutDir --logLevel warn)
    endif()
    add_custom_command(OUTPUT ${made}/pages.cpp ${made}/pages.bin
      ${build}
      COMMAND ${NODE} ${embed} ${dist} ${made}
      DEPENDS ${sources} ${embed}
      WORKING_DIRECTORY ${web} COMMENT "Building the pages" VERBATIM)
    set(source ${made}/pages.cpp)
    set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${made}/pages.bin)
  endif()
  add_library(mailtight_pages STATIC ${source})
  target_include_directories(mailtight_pages PRIVATE ${CMAKE_SOURCE_DIR}/src)
endfunction()
