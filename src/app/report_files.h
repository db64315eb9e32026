// SPDX-License-Identifier: Apache-2.0
// Files that somebody hands in on a page: read and explained, or kept. The work is done on a thread of its
// own, a few files at a time; what is too much is refused at once. Lives on the loop; what it is made of
// outlives it.
#pragma once

#include "api/received_desk.h"
#include "intake/keeper.h"
#include "intake/ways_in.h"
#include "io/worker.h"

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

namespace mailtight::app {

struct file_rules {
    bool strict_dkim_service = false;
    std::vector<std::string> trusted_authservers; ///< lower case
};

/// An mbox's messages, else the file itself. At most `most`; how many were left out.
struct inputs_of_file {
    std::vector<intake::input> inputs;
    std::size_t left_out = 0;
};
inputs_of_file inputs_of(api::upload file, std::size_t most);

class report_files {
public:
    static constexpr std::size_t files_at_once = 4; ///< one is read, the others wait
    static constexpr std::size_t inputs_most = 1'000, reports_shown = 100;
    static constexpr std::size_t rows_shown = 1'000; ///< details and policies, over all reports of a file

    report_files(io::loop& on, io::resolver& keys_from, const base::clock& clock);
    /// Read, judged and explained; nothing is stored.
    io::task<std::expected<api::read_file, api::upload_refusal>> read(api::upload file, file_rules rules);
    /// Kept by the word of whoever hands it in; a mail is judged by its signature all the same.
    /// What is about a domain looked after counts. `place`: of the database. `learned`: set where a domain
    /// became known by it.
    io::task<std::expected<api::imported_file, api::upload_refusal>>
    import(api::upload file, intake::keeper& into, std::string place, bool& learned);

private:
    io::loop& loop_;
    io::resolver& keys_from_;
    const base::clock& clock_;
    std::size_t under_way_ = 0;
    io::worker thread_;
};

} // namespace mailtight::app
